"""A file made of a model for one run-time, which a server loads in the model's place."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from agent.errors import ToolInputError, ToolUnavailableError
from agent.models.triton.back_ends import BackEnd
from agent.models.whole_results import Content
from devices.engines.engine import TensorSpec
from devices.engines.image_input import shape_text
from devices.engines.kserve.fitting import fits
from devices.engines.openvino.ir_file import read_ir, weights_of
from devices.engines.sniff import foreign_format
from devices.errors import EngineUnavailable

Sides: TypeAlias = "tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]"
"""Inputs, and outputs."""
HEAD_BYTES = 64


def held_files(held: Path, back_end: BackEnd, expected: Sides) -> dict[str, Content]:
    """The files of a version's folder: an OpenVINO model, whose tensors must be those expected, or a TensorRT plan.

    Raises:
        ToolInputError: it is neither, or of another model.
        ToolUnavailableError: OpenVINO is needed to read it, and not installed.
        ModelFileError: OpenVINO cannot read it.
    """
    try:
        with held.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise ToolInputError(f"{held}: cannot be read: {error.strerror}") from error
    if back_end.name == "tensorrt":
        if foreign_format(head) != "a TensorRT plan":
            raise ToolInputError(f"{held}: no TensorRT plan: {foreign_format(head) or 'of another kind, or damaged'}")
        return {"model.plan": held}
    if held.suffix.lower() == ".onnx":
        raise ToolInputError(f"{held}: an ONNX model is served as MODEL itself, not in place of another")
    try:
        found = read_ir(held)
    except EngineUnavailable as error:
        raise ToolUnavailableError(f"{held}: {error}") from error
    _require_same(held, (found.inputs, found.outputs), expected)
    return ir_files(held)


def ir_files(path: Path) -> dict[str, Content]:
    """Both files of an OpenVINO model."""
    return {"model.xml": path, "model.bin": weights_of(path)}


def _require_same(held: Path, found: Sides, expected: Sides) -> None:
    for what, there, wanted in zip(("input", "output"), found, expected, strict=True):
        by_name = {spec.name: spec for spec in there}
        for spec in wanted:
            if spec.name not in by_name or not fits(spec, by_name[spec.name]):
                seen = ", ".join(f"{each.name} {shape_text(each)}" for each in there)
                raise ToolInputError(
                    f"{held}: not made of this model: {what} {spec.name} {shape_text(spec)} is expected, found {seen}"
                )
