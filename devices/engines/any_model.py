"""Reads what a model says of itself, whichever of the formats it is in."""

from __future__ import annotations

from pathlib import Path

from devices.engines.coreml.package import is_core_ml, read_coreml_model
from devices.engines.model_file import ModelFile, read_model


def read_any_model(path: Path) -> ModelFile:
    """By its name: Core ML's endings, else ONNX.

    Raises:
        ModelFileError: missing, unreadable, or no model.
        EngineUnavailable: it is a Core ML model, and coremltools is not installed.
    """
    return read_coreml_model(path) if is_core_ml(path) else read_model(path)
