"""Whether a graph is valid ONNX, by ONNX's own checker."""

from __future__ import annotations

from pathlib import Path

import onnx

from devices.errors import ModelFileError


def check_valid(path: Path, proto: onnx.ModelProto) -> None:
    """Refuse a graph that breaks the standard: unknown operators, missing inputs, wrong attributes, no order.

    Raises:
        ModelFileError: it is not valid; with the checker's first line.
    """
    try:
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ModelFileError(f"{path}: no valid ONNX: {first_line(error)}") from error


def shape_complaint(proto: onnx.ModelProto) -> str:
    """What strict shape inference finds wrong with a graph that may run all the same; or ""."""
    try:
        onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError) as error:
        return first_line(error)
    return ""


def first_line(error: Exception) -> str:
    """The first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)
