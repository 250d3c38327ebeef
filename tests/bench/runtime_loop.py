"""The run-time's own benchmark loop: as many requests at once as there are sessions, each again as soon as it is done.

The model's file as it is, fed with one float tensor of its own that is made before: nothing is prepared, nothing read.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

Tensors = Mapping[str, npt.NDArray[Any]]
Loop = Callable[[int], None]
"""Runs so many inferences."""


def onnxruntime_loop(model: Path, tensors: Tensors, sessions: int, threads: int) -> Loop:
    """One ONNX Runtime session, run by as many threads as there are sessions."""
    import onnxruntime  # noqa: PLC0415  # only the run-time that is measured is loaded

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    feeds = dict(tensors)

    def work(count: int) -> None:
        numbers = itertools.count()

        def turn() -> None:
            while next(numbers) < count:
                session.run(None, feeds)

        turners = [threading.Thread(target=turn) for _ in range(sessions)]
        for turner in turners:
            turner.start()
        for turner in turners:
            turner.join()

    return work


def openvino_loop(model: Path, tensors: Tensors, sessions: int, threads: int) -> Loop:
    """An OpenVINO queue of requests, as its benchmark_app has it."""
    import openvino  # noqa: PLC0415  # only the run-time that is measured is loaded

    settings = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": sessions,
        "INFERENCE_NUM_THREADS": threads * sessions,
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    compiled = openvino.Core().compile_model(str(model), "CPU", settings)
    requests = openvino.AsyncInferQueue(compiled, sessions)
    feeds = dict(tensors)

    def work(count: int) -> None:
        for _ in range(count):
            requests.start_async(feeds, share_inputs=True)
        requests.wait_all()

    return work


LOOPS: Mapping[str, Callable[[Path, Tensors, int, int], Loop]] = {
    "onnxruntime": onnxruntime_loop,
    "openvino": openvino_loop,
}
