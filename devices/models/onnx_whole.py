"""Reads an ONNX file with everything that belongs to it, so that it can be changed and written as one piece."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import (  # type: ignore[import-untyped]  # its stubs are a package of their own
    EncodeError,
)

from devices.engines.model_file import parse
from devices.engines.sniff import read_model_bytes
from devices.errors import ModelFileError

# Protobuf's own limit; a larger model keeps its weights in files beside it.
MOST_BYTES = 2**31 - 1


def read_graph(path: Path) -> onnx.ModelProto:
    """The graph of a model; weights kept in files beside it are named, but not read.

    Raises:
        ModelFileError: missing, unreadable, too large, no ONNX, or damaged.
    """
    _refuse_too_large(path)
    return parse(path, read_model_bytes(path))


def read_whole(path: Path) -> onnx.ModelProto:
    """The graph of a model with all its weights in it.

    Raises:
        ModelFileError: as `read_graph`; or its weights are not beside it, or too many for one piece.
    """
    proto = read_graph(path)
    beside = weight_files(path, proto)
    if not beside:
        return proto
    weights_bytes = sum(file.stat().st_size for file in beside)
    if weights_bytes > MOST_BYTES:
        raise ModelFileError(f"{path}: its weights take {_in_gb(weights_bytes)}, more than the 2 GB of one ONNX file")
    try:
        onnx.load_external_data_for_model(proto, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelFileError(f"{path}: its weights cannot be read from {beside[0].name}: {error}") from error
    return proto


def whole_bytes(path: Path, proto: onnx.ModelProto) -> bytes:
    """The model as one piece of bytes.

    Raises:
        ModelFileError: it is larger than protobuf's limit.
    """
    try:
        return bytes(proto.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise ModelFileError(f"{path}: larger than 2 GB, the most that ONNX holds in one piece") from error


def weight_files(path: Path, proto: onnx.ModelProto) -> tuple[Path, ...]:
    """The files beside the model that its weights lie in.

    Raises:
        ModelFileError: one is missing, or lies outside the model's folder.
    """
    tensors = [tensor for graph in _graphs(proto.graph) for tensor in graph.initializer]
    locations = sorted({entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"})
    files = [path.parent / location for location in locations]
    for location, file in zip(locations, files, strict=True):
        if Path(location).is_absolute() or ".." in Path(location).parts:
            raise ModelFileError(f"{path}: names weights outside its own folder ({location}); they are not read")
        if not file.is_file():
            raise ModelFileError(f"{path}: its weights lie in {location}, which is not beside it; copy both")
    return tuple(files)


def _graphs(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """A graph and those within its nodes."""
    inner = [each.g for node in graph.node for each in node.attribute if each.HasField("g")]
    return [graph, *(below for each in inner for below in _graphs(each))]


def _refuse_too_large(path: Path) -> None:
    try:
        size_bytes = path.stat().st_size
    except OSError:
        return  # reading it tells why
    if path.is_file() and size_bytes > MOST_BYTES:
        raise ModelFileError(f"{path}: {_in_gb(size_bytes)}; an ONNX file holds 2 GB at most, weights lie beside it")


def _in_gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
