"""Reads what a Core ML model says of itself, on any system.

A .mlpackage or .mlmodel holds its specification; a .mlmodelc the description that its compiler left in it. An image
input is told as uint8 (1, height, width, 3): Core ML scales it and orders its channels itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from devices.engines.coreml.library import CoreMlObject, import_coremltools
from devices.engines.engine import TensorSpec
from devices.engines.model_file import ModelFile
from devices.errors import ModelFileError

SUFFIXES = (".mlpackage", ".mlmodel", ".mlmodelc")
_GREY = ("GRAYSCALE", "GRAYSCALE_FLOAT16")
# Of a program's tensors, and of a compiled model's description.
_WORDS = {"Float16": "float16", "Float32": "float32", "Double": "float64", "Int32": "int32", "Int8": "int8"}
_DTYPES = {"FLOAT16": "float16", "FLOAT32": "float32", "DOUBLE": "float64", "FLOAT64": "float64", "INT32": "int32",
           "INT8": "int8", "INT16": "int16", "UINT8": "uint8", "UINT16": "uint16", "BOOL": "bool"}  # fmt: skip


def is_core_ml(path: Path) -> bool:
    """Whether a path is a Core ML model by its name."""
    return path.suffix in SUFFIXES


def read_coreml_model(path: Path) -> ModelFile:
    """What the model says of itself.

    Raises:
        ModelFileError: missing, no Core ML model, or damaged.
        EngineUnavailable: coremltools is not installed.
    """
    if not is_core_ml(path):
        raise ModelFileError(f"{path}: no Core ML model: it ends in none of {', '.join(SUFFIXES)}")
    if not path.exists():
        raise ModelFileError(f"{path}: no such file; a Core ML model is needed")
    return _read_compiled(path) if path.suffix == ".mlmodelc" else _read_source(path)


def _read_source(path: Path) -> ModelFile:
    library = import_coremltools()
    try:
        spec = library.utils.load_spec(str(path))
        kind = spec.WhichOneof("Type")
        types = _program_types(spec) if kind == "mlProgram" else {}
        inputs = tuple(_feature(path, each, {}) for each in spec.description.input)
        outputs = tuple(_feature(path, each, types) for each in spec.description.output)
    except ModelFileError:
        raise
    except Exception as error:  # its readers raise everything from KeyError to their own
        raise ModelFileError(f"{path}: no Core ML model, or a damaged one: {error}") from error
    if not inputs or not outputs:
        raise ModelFileError(f"{path}: a Core ML model without inputs or outputs")
    return ModelFile(
        path=path,
        inputs=inputs,
        outputs=outputs,
        metadata=dict(spec.description.metadata.userDefined),
        sha256=folder_digest(path),
        precision=_precision(spec) if kind == "mlProgram" else "fp32",
    )


def _feature(path: Path, feature: CoreMlObject, types: Mapping[str, TensorSpec]) -> TensorSpec:
    kind = feature.type.WhichOneof("Type")
    if kind == "imageType":
        image = feature.type.imageType
        if image.ColorSpace.Name(image.colorSpace) in _GREY:
            raise ModelFileError(f"{path}: {feature.name} is a grey picture; the agent's pictures have colours")
        is_open = image.WhichOneof("SizeFlexibility") is not None
        size = (None, None) if is_open else (image.height, image.width)
        return TensorSpec(feature.name, "uint8", (1, *size, 3))
    if kind != "multiArrayType":
        raise ModelFileError(f"{path}: {feature.name} is no tensor and no picture, but {kind}")
    array = feature.type.multiArrayType
    if not array.shape and feature.name in types:
        return types[feature.name]
    name = array.ArrayDataType.Name(array.dataType)
    return TensorSpec(feature.name, _DTYPES.get(name, name.lower()), _axes(array))


def _axes(array: CoreMlObject) -> tuple[int | None, ...]:
    """Fixed axes; those that a range or the listed shapes leave open as None."""
    kind = array.WhichOneof("ShapeFlexibility")
    if kind == "shapeRange":
        ranges = array.shapeRange.sizeRanges
        return tuple(each.lowerBound if each.lowerBound == each.upperBound else None for each in ranges)
    if kind == "enumeratedShapes":
        listed = [tuple(each.shape) for each in array.enumeratedShapes.shapes]
        return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*listed, strict=True))
    return tuple(array.shape)


def _main_block(spec: CoreMlObject) -> CoreMlObject:
    functions = spec.mlProgram.functions
    function = functions["main"] if "main" in functions else next(iter(functions.values()))
    return function.block_specializations[function.opset]


def _program_types(spec: CoreMlObject) -> dict[str, TensorSpec]:
    """Of what the program computes: its outputs may be declared without a shape."""
    block, found = _main_block(spec), {}
    for operation in block.operations:
        for output in operation.outputs:
            if output.name in block.outputs:
                found[output.name] = _program_tensor(output)
    return found


def _program_tensor(value: CoreMlObject) -> TensorSpec:
    tensor = value.type.tensorType
    axes = tuple(
        axis.constant.size if axis.WhichOneof("dimension") == "constant" else None for axis in tensor.dimensions
    )
    name = value.type.tensorType.DESCRIPTOR.fields_by_name["dataType"].enum_type.values_by_number[tensor.dataType].name
    return TensorSpec(value.name, _DTYPES.get(name, name.lower()), axes)


def _precision(spec: CoreMlObject) -> str:
    """Of most of the program's operations: the Neural Engine computes those in float16 only."""
    half = whole = 0
    for operation in _main_block(spec).operations:
        for output in operation.outputs:
            dtype = _program_tensor(output).dtype
            half, whole = half + (dtype == "float16"), whole + (dtype == "float32")
    return "fp16" if half > whole else "fp32"


def _read_compiled(path: Path) -> ModelFile:
    try:
        (described, *_) = json.loads((path / "metadata.json").read_bytes())
        inputs = tuple(_described(path, row) for row in described["inputSchema"])
        outputs = tuple(_described(path, row) for row in described["outputSchema"])
    except OSError as error:
        raise ModelFileError(
            f"{path}: no metadata.json in it, so its inputs are not known; give the .mlpackage it was compiled from"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: its metadata.json cannot be read: {error!r}") from error
    return ModelFile(
        path=path,
        inputs=inputs,
        outputs=outputs,
        metadata={str(key): str(value) for key, value in described.get("userDefinedMetadata", {}).items()},
        sha256=folder_digest(path),
        precision="fp16" if described.get("computePrecision", "").startswith("Float16") else "fp32",
    )


def _described(path: Path, row: Mapping[str, Any]) -> TensorSpec:
    if row["type"] == "Image":
        return TensorSpec(row["name"], "uint8", (1, int(row["height"]), int(row["width"]), 3))
    if row["type"] != "MultiArray":
        raise ModelFileError(f"{path}: {row['name']} is no tensor and no picture, but {row['type']}")
    axes = tuple(json.loads(row["shape"]))
    is_open = row.get("hasShapeFlexibility") == "1"
    return TensorSpec(
        row["name"], _WORDS.get(row["dataType"], row["dataType"]), (None,) * len(axes) if is_open else axes
    )


def folder_digest(path: Path) -> str:
    """Of a file, or of every file in a folder with its name."""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"{file.relative_to(path.parent)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)
