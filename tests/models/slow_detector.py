"""A detector of squares that takes its time, as a large model on a small machine does."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from models.square_detectors import build_detector
from onnx import TensorProto, helper, numpy_helper

OUTPUT = "output0"
TRIAL_TURNS = 200_000


def build_slow(path: Path, seconds: float, *, input_size: int, frame_px: tuple[int, int]) -> Path:
    """Write one whose inference takes about so long on this machine, measured now.

    Args:
        path: of the ONNX file to write.
        seconds: of one inference.
        input_size: side of the model's picture.
        frame_px: size of the frames.
    """
    build_detector("yolov8", path, input_size=input_size, frame_px=frame_px)
    plain = path.read_bytes()
    _write(plain, TRIAL_TURNS, path)
    _write(plain, round(TRIAL_TURNS * seconds / _seconds(path, input_size)), path)
    return path


def _write(plain: bytes, turns: int, path: Path) -> None:
    model = onnx.load_model_from_string(plain)
    last = next(node for node in model.graph.node if OUTPUT in node.output)
    last.output[0] = "fine"
    constants = {"turns": np.array(turns, np.int64), "true": np.array(1, np.bool_), "zero": np.array(0.0, np.float32)}
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    model.graph.node.append(helper.make_node("Loop", ["turns", "true", "zero"], ["nothing"], body=_body()))
    model.graph.node.append(helper.make_node("Add", ["fine", "nothing"], [OUTPUT]))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _body() -> onnx.GraphProto:
    """Takes the square root of nothing; what is carried depends on the turn before, so none can be left out."""
    kinds = {"turn": TensorProto.INT64, "go_on": TensorProto.BOOL, "carried": TensorProto.FLOAT}
    ends = {"goes_on": TensorProto.BOOL, "carried_on": TensorProto.FLOAT}
    return helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["goes_on"]), helper.make_node("Sqrt", ["carried"], ["carried_on"])],
        "turns_that_cost",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in kinds.items()],
        [helper.make_tensor_value_info(name, kind, []) for name, kind in ends.items()],
    )


def _seconds(path: Path, input_size: int) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    picture = {"images": np.zeros((1, 3, input_size, input_size), np.float32)}
    session.run(None, picture)
    began_s = time.monotonic()
    session.run(None, picture)
    return time.monotonic() - began_s
