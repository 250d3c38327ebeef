"""What an ONNX file is made of, as far as it can be told without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx.inliner

from devices.models.onnx_layers import kind_of
from devices.models.onnx_whole import read_graph, weight_files


@dataclass(frozen=True, eq=False)
class Description:
    """One file, with what lies beside it.

    Attributes:
        proto: its graph, functions put in where they are used; weights beside the file are not read.
        size_bytes: of the file.
        beside: its weight files, by name, with their bytes.
        opsets: version of every operator set, by domain; "" is ONNX's own.
        ir_version: of the format.
        producer: name and version of the exporter.
        operators: how many of each kind, those inside `If`, `Loop` and `Scan` too; most first.
        inner: how many of them lie inside.
    """

    proto: onnx.ModelProto
    size_bytes: int
    beside: Mapping[str, int]
    opsets: Mapping[str, int]
    ir_version: int
    producer: str
    operators: Mapping[str, int]
    inner: int


def describe(path: Path) -> Description:
    """Read a file.

    Raises:
        ModelFileError: missing, unreadable, too large, no ONNX, damaged, or its weights are not beside it.
    """
    proto = read_graph(path)
    beside = {file.name: file.stat().st_size for file in weight_files(path, proto)}
    opsets = {"" if each.domain == "ai.onnx" else each.domain: each.version for each in proto.opset_import}
    if proto.functions:
        proto = onnx.inliner.inline_local_functions(proto)
    kinds = Counter(kind_of(node) for node in _nodes(proto.graph))
    return Description(
        proto=proto,
        size_bytes=path.stat().st_size,
        beside=beside,
        opsets=opsets,
        ir_version=proto.ir_version,
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
        operators=dict(kinds.most_common()),
        inner=sum(kinds.values()) - len(proto.graph.node),
    )


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)
