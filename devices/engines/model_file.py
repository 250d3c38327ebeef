"""Reads what an ONNX file says of itself, without running anything."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import (  # type: ignore[import-untyped]  # its stubs are a package of their own
    DecodeError,
    EncodeError,
)

from devices.engines.engine import TensorSpec
from devices.engines.sniff import read_model_bytes
from devices.errors import EngineLoadError, ModelFileError

_QUANTISED_OPS = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}
)


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file as it describes itself.

    Attributes:
        path: where it lies.
        inputs: what must be given, initialisers left out.
        outputs: what comes; axes the file leaves open are filled by shape inference where it can tell.
        metadata: the exporter's own key and value pairs.
        sha256: of the file, followed by the weight files beside it where the model has such.
        precision: fp32, fp16 or int8, of most weights.
    """

    path: Path
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, str]
    sha256: str
    precision: str


def read_model(path: Path) -> ModelFile:
    """What the file says of itself.

    Raises:
        ModelFileError: missing, unreadable, no ONNX, damaged, or a part of it is not there.
    """
    content = read_model_bytes(path)
    proto = parse(path, content)
    initialisers = initialiser_names(proto.graph)
    return ModelFile(
        path=path,
        inputs=_specs(path, (value for value in proto.graph.input if value.name not in initialisers)),
        outputs=_outputs(path, proto),
        metadata={pair.key: pair.value for pair in proto.metadata_props},
        sha256=_digest(content, _weight_files(path, proto)),
        precision=_precision(proto.graph),
    )


def parse(path: Path, content: bytes) -> onnx.ModelProto:
    """The file's content as ONNX, weights kept beside it not loaded.

    Raises:
        ModelFileError: it is no ONNX, or damaged.
    """
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(content)
    except DecodeError as error:
        raise ModelFileError(f"{path}: no ONNX model, or one that was cut short or damaged") from error
    if not proto.ir_version or not proto.opset_import or not proto.graph.node:
        raise ModelFileError(f"{path}: no ONNX model: it has no graph; an ONNX model (.onnx) is needed")
    return proto


def serialised(path: Path, proto: onnx.ModelProto) -> bytes:
    """The model as one piece of bytes.

    Raises:
        EngineLoadError: it is larger than protobuf's limit.
    """
    try:
        return bytes(proto.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise EngineLoadError(f"{path}: larger than 2 GB, the most that ONNX holds in one piece") from error


def initialiser_names(graph: onnx.GraphProto) -> frozenset[str]:
    """Names of the weights; old exporters list them among the inputs too."""
    dense = {tensor.name for tensor in graph.initializer}
    return frozenset(dense | {tensor.values.name for tensor in graph.sparse_initializer})


def _specs(path: Path, values: Iterable[onnx.ValueInfoProto]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(path, value) for value in values)


def _spec(path: Path, value: onnx.ValueInfoProto) -> TensorSpec:
    if value.type.WhichOneof("value") != "tensor_type":
        raise ModelFileError(f"{path}: {value.name} is no tensor; only models of plain tensors can be run")
    tensor = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    # dim_value 0 is what some exporters write for an open axis.
    shape = tuple(axis.dim_value if axis.dim_value > 0 else None for axis in tensor.shape.dim)
    return TensorSpec(name=value.name, dtype=dtype, shape=shape)


def _outputs(path: Path, proto: onnx.ModelProto) -> tuple[TensorSpec, ...]:
    declared = _specs(path, proto.graph.output)
    if all(spec.shape and None not in spec.shape for spec in declared):
        return declared
    try:
        inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
    except (onnx.shape_inference.InferenceError, EncodeError, ValueError):
        return declared  # too large or beyond its rules: what the file declares is all there is
    return _specs(path, inferred.graph.output)


def _weight_files(path: Path, proto: onnx.ModelProto) -> tuple[Path, ...]:
    locations = {
        entry.value
        for tensor in proto.graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    if outside := [each for each in sorted(locations) if Path(each).is_absolute() or ".." in Path(each).parts]:
        raise ModelFileError(f"{path}: names weights outside its own folder ({outside[0]}); they are not read")
    files = tuple(path.parent / location for location in sorted(locations))
    for file in files:
        if not file.is_file():
            raise ModelFileError(f"{path}: its weights lie in {file.name}, which is not beside it; copy both")
    return files


def _digest(content: bytes, weights: tuple[Path, ...]) -> str:
    digest = hashlib.sha256(content)
    for file in weights:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _precision(graph: onnx.GraphProto) -> str:
    if any(node.op_type in _QUANTISED_OPS for node in graph.node):
        return "int8"
    elements: Counter[int] = Counter()
    for tensor in graph.initializer:
        count = 1
        for axis in tensor.dims:
            count *= axis
        elements[tensor.data_type] += count
    half = elements[onnx.TensorProto.FLOAT16]
    return "fp16" if half > elements[onnx.TensorProto.FLOAT] else "fp32"
