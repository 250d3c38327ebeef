"""Rearranges a quantised (Q/DQ) model for ONNX Runtime's processor kernels, quick with uint8 activations only.

A model quantised for every run-time has pairs of symmetric int8 in front of its layers. ONNX Runtime's kernels want
uint8 there, and a pair behind the layer too, else they compute in float32 and the pairs are for nothing: measured on a
small YOLOX, 1.5 times the time of the float model as it is, 0.85 of it rearranged. The ranges behind the layers stand
in the model's metadata. Models without that note are left alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from devices.engines.model_file import ModelFile, parse, serialised

RANGES_KEY = "sitewatch.ranges_behind_layers"
GUARD = "_kept_from_its_pair"
"""How the name of a node ends that changes nothing, and keeps a pair where it is."""


def for_processor(model: ModelFile, graph: bytes) -> bytes:
    """The graph as the processor's kernels want it; the same bytes where the model carries no note."""
    if RANGES_KEY not in model.metadata:
        return graph
    proto = parse(model.path, graph)
    return serialised(model.path, proto) if rearranged(proto) else graph


def rearranged(proto: onnx.ModelProto) -> bool:
    """Rearrange the graph in place where it carries the note; whether it did."""
    note = next((pair.value for pair in proto.metadata_props if pair.key == RANGES_KEY), None)
    behind = _ranges(note)
    if behind is None:
        return False
    _drop_guards(proto.graph)
    _to_uint8(proto.graph)
    _add_pairs(proto.graph, behind)
    _quantise_concats(proto.graph)
    kept = {pair.key: pair.value for pair in proto.metadata_props if pair.key != RANGES_KEY}
    del proto.metadata_props[:]
    helper.set_model_props(proto, kept)
    return True


def _ranges(note: str | None) -> dict[str, tuple[float, float]] | None:
    """What the note says; None where there is none, or it is not ours to read."""
    try:
        found = json.loads(note or "null")
        return {str(name): (float(low), float(high)) for name, (low, high) in found.items()}
    except (ValueError, TypeError, AttributeError):
        return None


def _drop_guards(graph: onnx.GraphProto) -> None:
    """What keeps OpenVINO from moving a pair is for nothing here."""
    guarded = {node.output[0]: node.input[0] for node in graph.node if node.name.endswith(GUARD)}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = guarded.get(name, name)
    kept = [NodeProto.FromString(node.SerializeToString()) for node in graph.node if not node.name.endswith(GUARD)]
    del graph.node[:]
    graph.node.extend(kept)


def _to_uint8(graph: onnx.GraphProto) -> None:
    """Zero points of activations from int8 nought to uint8 128, which rounds exactly alike."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "QuantizeLinear" or node.input[0] in tensors:
            continue
        zero_point = tensors.get(node.input[2]) if len(node.input) > 2 else None
        if zero_point is not None and zero_point.data_type == TensorProto.INT8:
            values = numpy_helper.to_array(zero_point).astype(np.int16) + 128
            zero_point.CopyFrom(numpy_helper.from_array(values.astype(np.uint8), zero_point.name))
    del graph.value_info[:]  # types of before


def _add_pairs(graph: onnx.GraphProto, behind: Mapping[str, tuple[float, float]]) -> None:
    readers: dict[str, list[tuple[NodeProto, int]]] = defaultdict(list)
    for node in graph.node:
        for place, name in enumerate(node.input):
            readers[name].append((node, place))
    outputs = {value.name for value in graph.output}
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes.append(node)
        for name in node.output:
            if name in behind and name not in outputs and not _is_quantised(readers[name]):
                nodes += _pair(graph, name, behind[name], readers[name])
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _quantise_concats(graph: onnx.GraphProto) -> None:
    """Where a Concat is rounded, round what goes into it: then it, and what is in front of it, is done in uint8.

    With the scale of what comes out the result is the same; an input that is rounded already keeps its own.
    """
    rounding = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    back = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    readers = Counter(name for node in graph.node for name in node.input)
    nodes: list[NodeProto] = []
    for node in graph.node:
        after = rounding.get(node.output[0]) if node.op_type == "Concat" else None
        if after is not None and readers[node.output[0]] == 1:
            nodes += _round_inputs(node, after, {name: back[each.output[0]] for name, each in rounding.items()})
        nodes.append(node)
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _round_inputs(concat: NodeProto, after: NodeProto, rounded: Mapping[str, str]) -> list[NodeProto]:
    """Let a Concat read rounded tensors only; the pairs that are new."""
    made = []
    for place, name in enumerate(concat.input):
        if name in rounded:
            concat.input[place] = rounded[name]
        elif name not in rounded.values():
            pair = _named_pair(f"{name}_into_{after.output[0]}_{place}", name, after.input[1:])
            concat.input[place] = pair[1].output[0]
            made += pair
    return made


def _named_pair(prefix: str, name: str, constants: Sequence[str]) -> list[NodeProto]:
    whole, made = f"{prefix}_quantized", f"{prefix}_dequantized"
    return [
        helper.make_node("QuantizeLinear", [name, *constants], [whole], name=f"{prefix}_QuantizeLinear"),
        helper.make_node("DequantizeLinear", [whole, *constants], [made], name=f"{prefix}_DequantizeLinear"),
    ]


def _is_quantised(readers: Sequence[tuple[NodeProto, int]]) -> bool:
    """Whether nothing reads the tensor but a pair that is there already."""
    return all(node.op_type == "QuantizeLinear" for node, _ in readers)


def _pair(
    graph: onnx.GraphProto, name: str, kept: tuple[float, float], readers: Sequence[tuple[NodeProto, int]]
) -> list[NodeProto]:
    """A pair behind a tensor, which all its readers read from now on."""
    low, high = min(kept[0], 0.0), max(kept[1], 0.0)
    scale = max(high - low, 1e-6) / 255.0
    zero_point = round(-low / scale)
    constants = [f"{name}_behind_scale", f"{name}_behind_zero_point"]
    graph.initializer.append(numpy_helper.from_array(np.asarray(scale, np.float32), constants[0]))
    graph.initializer.append(numpy_helper.from_array(np.asarray(zero_point, np.uint8), constants[1]))
    pair = _named_pair(f"{name}_behind", name, constants)
    for node, place in readers:
        node.input[place] = pair[1].output[0]
    return pair
