"""Reads what a model says of itself, whichever of the formats it is in."""

from __future__ import annotations

from pathlib import Path

from devices.engines.coreml.package import is_core_ml, read_coreml_model
from devices.engines.model_file import ModelFile, read_model
from devices.engines.openvino.ir_file import is_ir, read_ir


def read_any_model(path: Path) -> ModelFile:
    """By its name: Core ML's endings, OpenVINO's `.xml`, else ONNX.

    Raises:
        ModelFileError: missing, unreadable, or no model.
        EngineUnavailable: the format's own library is not installed.
    """
    if is_core_ml(path):
        return read_coreml_model(path)
    return read_ir(path) if is_ir(path) else read_model(path)


def only_runtime(path: Path) -> str | None:
    """The one run-time that runs models of this format, by its name in the catalogue; None where several do."""
    if is_core_ml(path):
        return "coreml"
    return "openvino" if is_ir(path) else None
