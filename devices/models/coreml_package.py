"""Writes Core ML packages: an ONNX graph lowered to a program, its compute precision, its picture input, its notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from devices.engines.coreml.library import CoreMlObject, import_coremltools
from devices.engines.engine import ImageInput
from devices.errors import EngineLoadError
from devices.models.coreml_lowering import lowered, program_inputs, refuse_unknown
from devices.models.torch_library import silence

TARGETS = ("iOS15", "iOS16", "iOS17", "iOS18", "iOS26", "macOS12", "macOS13", "macOS14", "macOS15", "macOS26")
_BEFORE_IOS17 = ("iOS15", "iOS16", "macOS12", "macOS13")


@dataclass(frozen=True)
class PackageOrder:
    """What a package shall be like.

    Attributes:
        is_half: computes in float16, else float32.
        target: the oldest system it shall run on, of `TARGETS`.
        image: what the picture input does to a picture of 0 to 255, for a package that takes pictures; None for one
            that takes the model's own tensors.
        notes: the exporter's key and value pairs.
    """

    is_half: bool = True
    target: str = "iOS16"
    image: ImageInput | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


def write_package(proto: onnx.ModelProto, path: Path, order: PackageOrder) -> None:
    """Convert a folded graph (`folded_graph`) and save it as a `.mlpackage`.

    Raises:
        EngineUnavailable: coremltools is not installed.
        EngineLoadError: the graph cannot be converted; the sentence names the operator and why.
        OSError: it cannot be written.
    """
    library = import_coremltools()
    refuse_unknown(proto.graph)
    with silence():  # bars of progress, and warnings of its own arithmetic
        package = _converted(library, proto, order)
    package.user_defined_metadata.update(order.notes)
    package.short_description = order.notes.get("description", "")
    package.save(str(path))
    for file in path.rglob("*"):  # coremltools leaves them readable by their owner only
        file.chmod(0o755 if file.is_dir() else 0o644)


def _converted(library: CoreMlObject, proto: onnx.ModelProto, order: PackageOrder) -> CoreMlObject:
    inputs = [_picture(library, proto, order.image)] if order.image is not None else []
    program = _program(library, proto, order)
    precision = library.precision.FLOAT16 if order.is_half else library.precision.FLOAT32
    more = {"inputs": [*inputs, *_tensors(library, proto, order.image)]} if inputs else {}
    try:
        return library.convert(
            program,
            convert_to="mlprogram",
            minimum_deployment_target=getattr(library.target, order.target),
            compute_precision=precision,
            skip_model_load=True,
            **more,
        )
    except Exception as error:  # its passes raise everything from KeyError to their own
        raise EngineLoadError(f"coreml: coremltools refuses the program: {error}") from error


def _program(library: CoreMlObject, proto: onnx.ModelProto, order: PackageOrder) -> CoreMlObject:
    from coremltools.converters.mil import Builder  # noqa: PLC0415 - as the library
    from coremltools.converters.mil.mil import Function, Program, types  # noqa: PLC0415 - as the library

    opset = getattr(library.target, order.target)
    inputs = program_inputs(proto.graph)
    placeholders = {
        each.name: Builder.placeholder(shape=each.shape, dtype=types.int32 if each.is_whole else types.fp32)
        for each in inputs
    }
    program = Program()
    with Function(placeholders, opset) as function:
        given = {each.onnx_name: function.inputs[each.name] for each in inputs}
        is_new = order.target not in _BEFORE_IOS17
        function.set_outputs(list(lowered(Builder, proto, given, order.image, since_ios17=is_new)))
        program.add_function("main", function)
    return program


def _picture(library: CoreMlObject, proto: onnx.ModelProto, image: ImageInput) -> CoreMlObject:
    found = next(each for each in program_inputs(proto.graph) if each.onnx_name == image.name)
    if len(found.shape) != 4 or found.shape[:2] != (1, 3):
        raise EngineLoadError(
            f"coreml: the picture input takes {found.shape}; for pictures Core ML needs (1, 3, height, width), "
            "so convert it to take tensors"
        )
    layout = library.colorlayout.BGR if image.order == "bgr" else library.colorlayout.RGB
    return library.ImageType(name=found.name, shape=found.shape, color_layout=layout)


def _tensors(library: CoreMlObject, proto: onnx.ModelProto, image: ImageInput | None) -> list[CoreMlObject]:
    rest = [each for each in program_inputs(proto.graph) if image is None or each.onnx_name != image.name]
    return [library.TensorType(name=each.name, shape=each.shape) for each in rest]
