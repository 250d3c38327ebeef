"""Whether a quantised (Q/DQ) graph is one that TensorRT 10 and 11 take, by looking at the graph alone.

They take explicit quantisation: symmetric int8, weights and activations in pairs, nothing else quantised. What they
refuse is told at build time only, on a machine with their GPU ("only activation types allowed as input to this layer",
onnxruntime issue 14229), so it is looked for here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

_FIRST_WITH_AXES = 13
_LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
_DYNAMIC = {"DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
_TIED = {"Concat", "Softmax"}
"""Quantised, a Concat gives boxes and scores one scale, and a Softmax is not symmetric."""


def audit(proto: onnx.ModelProto) -> tuple[str, ...]:
    """What TensorRT would refuse, and what would cost accuracy: a sentence each; empty where there is nothing."""
    return tuple(_findings(_Graph(proto)))


def count_pairs(proto: onnx.ModelProto) -> int:
    """How many layers read quantised activations."""
    graph = _Graph(proto)
    return sum(graph.reads_pair(node) for node in proto.graph.node if node.op_type in _LAYERS)


class _Graph:
    def __init__(self, proto: onnx.ModelProto) -> None:
        self.proto = proto
        self.weights = {tensor.name: tensor for tensor in proto.graph.initializer}
        self.makers = {name: node for node in proto.graph.node for name in node.output}

    def maker(self, name: str) -> NodeProto | None:
        return self.makers.get(name)

    def reads_pair(self, node: NodeProto) -> bool:
        """Whether a node's first input is dequantised."""
        maker = self.maker(node.input[0]) if node.input else None
        return maker is not None and maker.op_type == "DequantizeLinear"


def _findings(graph: _Graph) -> Iterator[str]:
    version = next((each.version for each in graph.proto.opset_import if not each.domain), 0)
    if version < _FIRST_WITH_AXES:
        yield f"operator set {version}: a scale for every channel needs 13"
    operators = Counter(node.op_type for node in graph.proto.graph.node)
    for operator in sorted(_DYNAMIC & set(operators)):
        yield f"{operator}: no explicit quantisation; TensorRT has no such operator"
    if not operators["DequantizeLinear"]:
        yield "nothing is quantised"
    for node in graph.proto.graph.node:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"}:
            yield from _of_pair(graph, node)
        elif node.op_type in _LAYERS and graph.reads_pair(node):
            yield from _of_layer(graph, node)
        elif node.op_type in _TIED and graph.reads_pair(node):
            yield f"{node.name}: a {node.op_type} is quantised"


def _of_pair(graph: _Graph, node: NodeProto) -> Iterator[str]:
    zero_point = graph.weights.get(node.input[2]) if len(node.input) > 2 else None
    if zero_point is None:
        yield f"{node.name}: no constant zero point, which means uint8"
    elif zero_point.data_type != TensorProto.INT8:
        yield f"{node.name}: {helper.tensor_dtype_to_np_dtype(zero_point.data_type).name}, where int8 is taken"
    elif np.any(numpy_helper.to_array(zero_point)):
        yield f"{node.name}: a zero point that is not nought, so it is not symmetric"
    scale = graph.weights.get(node.input[1])
    if scale is None:
        yield f"{node.name}: its scale is no constant"
    elif not np.all(numpy_helper.to_array(scale) > 0):
        yield f"{node.name}: a scale that is not above nought"
    if node.op_type == "DequantizeLinear":
        maker = graph.maker(node.input[0])
        if maker is None or maker.op_type != "QuantizeLinear":
            yield f"{node.name}: dequantises what nothing quantised; float weights behind a pair are taken"


def _of_layer(graph: _Graph, node: NodeProto) -> Iterator[str]:
    maker = graph.maker(node.input[1])
    if maker is None or maker.op_type != "DequantizeLinear":
        yield f"{node.name}: int8 activations with float weights"
    bias = graph.maker(node.input[2]) if len(node.input) > 2 else None
    if bias is not None and bias.op_type == "DequantizeLinear":
        yield f"{node.name}: a quantised bias"
