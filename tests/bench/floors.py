"""The floors of the line, each alone: the decoder, the run-time; and the loop most people write instead of the line."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime


def decode_only(clip: Path, frames: int) -> Callable[[], int]:
    """PyAV, one thread, nothing done with the frames."""

    def work() -> int:
        done = 0
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for _ in container.decode(stream):
                done += 1
                if done >= frames:
                    break
        return done

    return work


def runtime_only(model: Path, runtime: str, threads: int, frames: int) -> Callable[[], int]:
    """The run-time fed with the model's own float tensor, made once."""
    infer = _openvino(model, threads) if runtime == "openvino" else _onnxruntime(model, threads)
    infer()

    def work() -> int:
        for _ in range(frames):
            infer()
        return frames

    return work


def decode_beside_runtime(clip: Path, model: Path, runtime: str, threads: int, frames: int) -> Callable[[], int]:
    """Both floors at once, frame by frame in two threads, as any line has them: processors share what they have."""
    infer = _openvino(model, threads) if runtime == "openvino" else _onnxruntime(model, threads)
    infer()
    decoded: queue.Queue[object] = queue.Queue(1)

    def decode() -> None:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in itertools.islice(container.decode(stream), frames):
                decoded.put(frame)

    def work() -> int:
        decoder = threading.Thread(target=decode)
        decoder.start()
        for _ in range(frames):
            decoded.get()
            infer()
        decoder.join()
        return frames

    return work


def _onnxruntime(model: Path, threads: int) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    tensor = _picture_tensor([int(size) for size in entry.shape])
    return lambda: session.run(None, {entry.name: tensor})


def _openvino(model: Path, threads: int) -> Callable[[], object]:
    import openvino  # noqa: PLC0415  # an extra: the bench also runs without it

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(model), "CPU", options)
    request = compiled.create_infer_request()
    tensor = _picture_tensor(list(compiled.input(0).shape))
    return lambda: request.infer([tensor], share_inputs=True, share_outputs=True)


def _picture_tensor(shape: list[int]) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)


def usual_loop(clip: Path, model: Path, frames: int) -> Callable[[], int]:
    """`VideoCapture.read`, resize, ONNX Runtime with its defaults, one Python turn a box; no tracker, no broker."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    height, width = (int(size) for size in entry.shape[2:])

    def work() -> int:
        capture = cv2.VideoCapture(str(clip))
        done = 0
        while done < frames:
            ok, picture = capture.read()
            if not ok:
                break
            scale = min(width / picture.shape[1], height / picture.shape[0])
            small = cv2.resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)))
            padded = np.full((height, width, 3), 114, np.uint8)
            padded[: small.shape[0], : small.shape[1]] = small
            tensor = np.ascontiguousarray(padded.transpose(2, 0, 1)[None].astype(np.float32))
            _boxes_one_by_one(session.run(None, {entry.name: tensor})[0][0], height, width, scale)
            done += 1
        return done

    return work


def _boxes_one_by_one(rows: np.ndarray, height: int, width: int, scale: float) -> list[list[float]]:
    """YOLOX's raw grid, decoded as tutorials do."""
    cells = [(x, y, s) for s in (8, 16, 32) for y in range(height // s) for x in range(width // s)]
    boxes, scores = [], []
    for row, (x, y, stride) in zip(rows, cells, strict=True):
        class_id = int(np.argmax(row[5:]))
        score = float(row[4] * row[5 + class_id])
        if score < 0.1:
            continue
        w, h = float(np.exp(row[2]) * stride), float(np.exp(row[3]) * stride)
        boxes.append(
            [((row[0] + x) * stride - w / 2) / scale, ((row[1] + y) * stride - h / 2) / scale, w / scale, h / scale]
        )
        scores.append(score)
    kept = cv2.dnn.NMSBoxes(boxes, scores, 0.1, 0.65) if boxes else []
    return [boxes[int(index)] for index in kept]
