"""Which layers of a graph may be quantised: those that multiply by weights, and what their activations look like."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

_BARE = {"Relu", "Clip"}
"""Activations that only cut off: what quantises behind them makes them free."""


@dataclass(frozen=True)
class Layer:
    """A convolution or matrix product with constant weights.

    Attributes:
        name: of its node.
        operator: Conv, ConvTranspose, Gemm or MatMul.
        input, weight, output: tensors.
        channel_axis: of the weights, one scale for each; None: one for all.
        result: what is rounded where the layer's answer is: its output, or that of the Relu or Clip behind it.
        sigmoid: output of the sigmoid that the output is multiplied with (SiLU), or "".
    """

    name: str
    operator: str
    input: str
    weight: str
    output: str
    channel_axis: int | None
    result: str
    sigmoid: str

    @property
    def activations(self) -> tuple[str, ...]:
        """Every tensor whose range is needed."""
        return tuple(filter(None, (self.input, self.result, self.sigmoid)))


def quantisable_layers(proto: onnx.ModelProto) -> tuple[Layer, ...]:
    """The layers that may be quantised, in the graph's order.

    Nothing else is: a Concat of boxes and scores, or what decodes them, would have to share one scale, which is made
    for pixels and leaves nothing of scores between 0 and 1.
    """
    weights = {tensor.name: tensor for tensor in proto.graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in proto.graph.node:
        for name in node.input:
            readers[name].append(node)
    found = []
    for node in proto.graph.node:
        axis = _channel_axis(node, weights)
        if axis is not _NONE:
            result, sigmoid = _behind(node.output[0], readers)
            layer = Layer(node.name, node.op_type, node.input[0], node.input[1], node.output[0], axis, result, sigmoid)
            found.append(layer)
    return tuple(found)


_NONE = -1


def _channel_axis(node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]) -> int | None:
    """Axis of the weights' output channels; None: one scale for all; -1: nothing to quantise."""
    if len(node.input) < 2 or node.input[0] in weights or node.input[1] not in weights:
        return _NONE
    weight = weights[node.input[1]]
    if weight.data_type != onnx.TensorProto.FLOAT:
        return _NONE
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    rank = len(weight.dims)
    if node.op_type == "Conv" and rank == 4:
        return 0
    if node.op_type == "ConvTranspose" and rank == 4:
        return 1 if attributes.get("group", 1) == 1 else None
    if node.op_type == "Gemm" and rank == 2:
        return 0 if attributes.get("transB", 0) else 1
    if node.op_type == "MatMul" and rank == 2:
        return 1
    return _NONE


def _behind(output: str, readers: dict[str, list[onnx.NodeProto]]) -> tuple[str, str]:
    """What is rounded behind a layer, and the sigmoid of its SiLU."""
    followers = readers[output]
    if len(followers) == 1 and followers[0].op_type in _BARE:
        return followers[0].output[0], ""
    sigmoid = next((node.output[0] for node in followers if node.op_type == "Sigmoid"), "")
    is_silu = sigmoid and [each.op_type for each in readers[sigmoid]] == ["Mul"]
    return output, sigmoid if is_silu and output in readers[sigmoid][0].input else ""


def channel_scales(weight: npt.NDArray[Any], axis: int | None) -> npt.NDArray[np.float32]:
    """Symmetric int8 scales of weights: one an output channel, or one for all (a scalar); never 0."""
    others = None if axis is None else tuple(each for each in range(weight.ndim) if each != axis)
    greatest = np.abs(weight).max(axis=others)
    return np.asarray(np.maximum(greatest, 1e-8) / 127.0, np.float32)
