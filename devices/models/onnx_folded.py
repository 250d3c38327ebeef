"""An ONNX graph with every shape fixed and everything computed that can be: what converters take most easily.

Folded by ONNX Runtime's basic optimisations, which leave standard operators only.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx

from devices.engines.engine import EngineRequest
from devices.engines.image_graph import prepared_graph
from devices.engines.model_file import ModelFile
from devices.errors import EngineLoadError, EngineUnavailable

_ERRORS_ONLY = 3


def folded_graph(model: ModelFile, request: EngineRequest) -> onnx.ModelProto:
    """The model with the request's batch, weights inside, constants folded.

    Raises:
        ModelFileError: the file has changed since it was read.
        EngineUnavailable: ONNX Runtime is not installed.
        EngineLoadError: it refuses the model.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - a run-time is imported where it is used only
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"onnxruntime cannot be imported: {error}") from error
    content = prepared_graph(model, request)
    with tempfile.TemporaryDirectory(prefix="sitewatch-fold-") as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = _ERRORS_ONLY
        try:
            onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common parent
            raise EngineLoadError(f"onnxruntime refuses {model.path}: {error}") from error
        return onnx.load(options.optimized_model_filepath)
