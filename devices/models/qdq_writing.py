"""Writes quantise/dequantise (Q/DQ) pairs into a float graph, so that every run-time takes the result as int8.

Explicit quantisation as TensorRT asks for it (symmetric int8, zero points of nought, float weights behind a pair, float
biases), and only in front of the layers that gain: there OpenVINO and TensorRT fuse layer, activation and rounding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, helper, numpy_helper

from devices.engines.onnxruntime_quantised import GUARD, RANGES_KEY
from devices.models.calibration_histogram import Range
from devices.models.qdq_layers import Layer, channel_scales

_SMALLEST = 1e-6
_CHANGES_LITTLE = {"Relu", "Clip", "Identity", "Reshape", "Mul", "Slice", "MaxPool", "Resize"}


def quantised(proto: onnx.ModelProto, layers: Sequence[Layer], ranges: Mapping[str, Range]) -> onnx.ModelProto:
    """A copy of the graph with these layers in int8, everything else as it is.

    Ranges behind the layers go into the model's metadata: ONNX Runtime's processor kernels gain only where a layer's
    answer is rounded too, which would cost the others their fusions.

    Args:
        proto: a float model of operator set 13 or later.
        layers: of it, to be quantised.
        ranges: of every tensor named in the layers' `activations`.
    """
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    pairs = _Pairs(made.graph)
    by_name = {layer.name: layer for layer in layers}
    for node in made.graph.node:
        layer = by_name.get(node.name)
        if layer is not None:
            node.input[0] = pairs.of_activation(layer.input, ranges[layer.input].limit)
            node.input[1] = pairs.of_weight(layer)
    pairs.settle()
    _note_ranges(made, layers, ranges)
    return made


class _Pairs:
    """Pairs made so far; each tensor has one, which its quantised readers share."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._made: dict[str, list[NodeProto]] = {}

    def of_activation(self, tensor: str, limit: float) -> str:
        """What to read in place of an activation."""
        if tensor not in self._made:
            scale = np.asarray(max(limit, _SMALLEST) / 127.0, np.float32)
            self._made[tensor] = self._pair(tensor, scale, None)
        return str(self._made[tensor][1].output[0])

    def of_weight(self, layer: Layer) -> str:
        """What to read in place of a layer's weights."""
        key = layer.weight if layer.channel_axis in (None, 0) else f"{layer.weight}@{layer.channel_axis}"
        if key not in self._made:
            weight = numpy_helper.to_array(self._weights[layer.weight])
            scale = channel_scales(weight, layer.channel_axis)
            self._made[key] = self._pair(layer.weight, scale, layer.channel_axis)
        return str(self._made[key][1].output[0])

    def settle(self) -> None:
        """Put the pairs into the graph: each right behind what it reads."""
        waiting = {pair[0].input[0]: pair for pair in self._made.values()}
        makers = {name: node for node in self._graph.node for name in node.output}
        for tensor, pair in waiting.items():
            if _comes_of_concat(tensor, makers):
                pair.insert(0, _guard(tensor, pair[0]))
        nodes = [node for tensor, pair in waiting.items() if tensor not in makers for node in pair]
        for node in self._graph.node:
            nodes.append(node)
            nodes += [each for name in node.output for each in waiting.get(name, ())]
        kept = [_copied(node) for node in nodes]
        del self._graph.node[:]
        self._graph.node.extend(kept)

    def _pair(self, tensor: str, scale: npt.NDArray[np.float32], axis: int | None) -> list[NodeProto]:
        names = [f"{tensor}_scale", f"{tensor}_zero_point"]
        self._graph.initializer.append(numpy_helper.from_array(scale, names[0]))
        self._graph.initializer.append(numpy_helper.from_array(np.zeros(scale.shape, np.int8), names[1]))
        whole, back = f"{tensor}_quantized", f"{tensor}_dequantized"
        quantise, dequantise = f"{tensor}_QuantizeLinear", f"{tensor}_DequantizeLinear"
        pair = [
            helper.make_node("QuantizeLinear", [tensor, *names], [whole], name=quantise),
            helper.make_node("DequantizeLinear", [whole, *names], [back], name=dequantise),
        ]
        if axis is not None:
            for node in pair:
                node.attribute.append(helper.make_attribute("axis", axis))
        return pair


def _comes_of_concat(tensor: str, makers: Mapping[str, NodeProto]) -> bool:
    maker = makers.get(tensor)
    while maker is not None and maker.op_type in _CHANGES_LITTLE:
        maker = makers.get(maker.input[0])
    return maker is not None and maker.op_type == "Concat"


def _guard(tensor: str, quantise: NodeProto) -> NodeProto:
    """Something between a Concat and its pair that changes nothing.

    OpenVINO (2026.4, processor) moves a pair to the Concat's inputs and then forgets that int8 may be negative: every
    value below nought becomes 0. It does not move it past a LeakyRelu, which costs under 2 % of the time.
    """
    name = f"{tensor}{GUARD}"
    quantise.input[0] = name
    return helper.make_node("LeakyRelu", [tensor], [name], name=name, alpha=1.0)


def _copied(node: NodeProto) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def _note_ranges(proto: onnx.ModelProto, layers: Sequence[Layer], ranges: Mapping[str, Range]) -> None:
    behind = {name for layer in layers for name in (layer.result, layer.sigmoid) if name}
    noted = {name: [round(ranges[name].low, 6), round(ranges[name].high, 6)] for name in sorted(behind)}
    metadata = {pair.key: pair.value for pair in proto.metadata_props}
    helper.set_model_props(proto, {**metadata, RANGES_KEY: json.dumps(noted, separators=(",", ":"))})
