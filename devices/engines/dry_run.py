"""Runs a model once as it is, on the processor, to see what its open shapes turn out to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines import onnxruntime_engine
from devices.engines.any_model import only_runtime
from devices.engines.coreml import engine as coreml_engine
from devices.engines.engine import EngineRequest, Tensors, TensorSpec
from devices.engines.openvino import engine as openvino_engine
from devices.errors import EngineLoadError
from devices.inventory import Accelerator, AcceleratorKind

_CPU = Accelerator(kind=AcceleratorKind.CPU, name="CPU")
_GREY = 0.5


def dry_run(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
    """The model's own outputs for the model's own inputs, in the file's order; float16 comes as float32.

    Raises:
        ModelFileError: the file is no model.
        EngineUnavailable: the run-time is not installed; or it is a Core ML model, and this is no Mac.
        EngineLoadError: the run-time refuses the model.
        InferenceError: the tensors are not what the model takes, or it cannot be run.
    """
    loads = {"coreml": coreml_engine.load, "openvino": openvino_engine.load}
    load = loads.get(only_runtime(path) or "", onnxruntime_engine.load)
    engine = load(EngineRequest(model=path, accelerator=_CPU))
    session = engine.session()
    try:
        return session.infer(tensors)
    finally:
        session.close()
        engine.close()


def blank_tensor(spec: TensorSpec, shape: tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    """A tensor that fits `spec`: 0.5 in floats, 1 in integers; an open first axis is a batch of 1.

    Raises:
        EngineLoadError: an axis other than the first is open and no shape is given.
    """
    if shape is None:
        axes = tuple(1 if index == 0 and axis is None else axis for index, axis in enumerate(spec.shape))
        shape = tuple(axis for axis in axes if axis is not None)
        if len(shape) != len(axes):
            raise EngineLoadError(f"input {spec.name} leaves its size open: {axes}; give its size")
    dtype = np.dtype(spec.dtype)
    return np.full(shape, _GREY if dtype.kind == "f" else 1, dtype)
