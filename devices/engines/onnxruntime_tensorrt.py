"""ONNX Runtime with its TensorRT provider: TensorRT where there is no `tensorrt` package, CUDA for what it leaves."""

from __future__ import annotations

from devices.engines.engine import Engine, EngineRequest
from devices.engines.onnxruntime_engine import load_on
from devices.engines.onnxruntime_providers import tensorrt_use

NAME = "onnxruntime_tensorrt"


def load(request: EngineRequest) -> Engine:
    """Make the model ready; the first time may take minutes, later ones use what is kept in the cache folder.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: ONNX Runtime is not installed, was built without TensorRT, or would run elsewhere.
        EngineLoadError: it refuses the model.
    """
    return load_on(NAME, request, tensorrt_use)
