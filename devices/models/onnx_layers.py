"""The operators of a graph, each with its shapes, its parameters, and whether a run-time computes it at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import onnx

from devices.models.onnx_shapes import Shape

# What only passes a weight on: the operator behind it is the layer that the weight belongs to.
_CARRIERS = frozenset(
    {"Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose",
     "Unsqueeze"}
)  # fmt: skip
_SCALED = frozenset({"QuantizeLinear", "DequantizeLinear"})
_SHAPE_READERS = frozenset({"Shape", "Size"})
_TYPES = onnx.TensorProto
WEIGHTS = frozenset(
    {_TYPES.FLOAT, _TYPES.DOUBLE, _TYPES.FLOAT16, _TYPES.BFLOAT16, _TYPES.INT8, _TYPES.UINT8, _TYPES.INT4, _TYPES.UINT4}
)
_ONNX_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator.

    Attributes:
        node: as it stands in the graph.
        kind: its operator; with the domain before it where that is not ONNX's own: "com.microsoft:FusedConv".
        inputs, outputs: the shape of each, None where it is not known or the input is left out.
        constants: what of its inputs is written in the model, by place.
        fixed: places of the inputs that depend on no input of the model: constants, and what is computed of them only.
        parameters: elements of the weights that belong to it.
        is_folded: it depends on no input, or on the shapes of tensors only, so that run-times compute it when loading.
    """

    node: onnx.NodeProto
    kind: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    constants: Mapping[int, onnx.TensorProto]
    fixed: frozenset[int]
    parameters: int
    is_folded: bool

    @property
    def name(self) -> str:
        """As the exporter called it; else by what it gives."""
        return self.node.name or next(iter(self.node.output), self.kind)

    def attribute(self, name: str, default: object = None) -> object:
        """An attribute's value."""
        found = next((each for each in self.node.attribute if each.name == name), None)
        return default if found is None else onnx.helper.get_attribute_value(found)

    def whole_numbers(self, name: str) -> tuple[int, ...]:
        """An attribute that is a list of whole numbers; empty where it is left out."""
        found = self.attribute(name, ())
        return tuple(int(each) for each in found) if isinstance(found, Iterable) else ()


def read_layers(proto: onnx.ModelProto, shapes: Mapping[str, Shape]) -> tuple[Layer, ...]:
    """Every operator of the graph, in its order; those inside `If` and `Loop` are not looked into.

    Args:
        proto: the model.
        shapes: of its tensors, by name, as far as known.
    """
    graph = proto.graph
    constants = _constants(graph)
    parameters = _parameters(graph, constants)
    folded = _folded(graph, shapes)
    settled = {name for place in folded for name in graph.node[place].output} | set(constants)
    return tuple(
        Layer(
            node=node,
            kind=kind_of(node),
            inputs=tuple(shapes.get(name) for name in node.input),
            outputs=tuple(shapes.get(name) for name in node.output),
            constants={place: constants[name] for place, name in enumerate(node.input) if name in constants},
            fixed=frozenset(place for place, name in enumerate(node.input) if name in settled),
            parameters=parameters.get(place, 0),
            is_folded=place in folded,
        )
        for place, node in enumerate(graph.node)
    )


def kind_of(node: onnx.NodeProto) -> str:
    """The operator, with its domain where that is not ONNX's own."""
    return node.op_type if node.domain in _ONNX_DOMAINS else f"{node.domain}:{node.op_type}"


def elements(shape: Iterable[int]) -> int:
    """How many elements a tensor of this shape has."""
    count = 1
    for axis in shape:
        count *= axis
    return count


def _constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            found.update((node.output[0], each.t) for each in node.attribute if each.name == "value")
    return found


def _parameters(graph: onnx.GraphProto, constants: Mapping[str, onnx.TensorProto]) -> dict[int, int]:
    """Elements of weights by the place of the operator they belong to; a weight that several read counts once."""
    readers: dict[str, list[tuple[int, int]]] = {}
    for place, node in enumerate(graph.node):
        for number, name in enumerate(node.input):
            readers.setdefault(name, []).append((place, number))
    found: dict[int, int] = {}
    for name, tensor in constants.items():
        owner = _owner(graph, readers, name, tensor)
        if owner is not None:
            found[owner] = found.get(owner, 0) + elements(tensor.dims)
    for each in graph.sparse_initializer:
        owner = _owner(graph, readers, each.values.name, each.values)
        if owner is not None:
            found[owner] = found.get(owner, 0) + elements(each.values.dims)
    return found


def _owner(
    graph: onnx.GraphProto, readers: Mapping[str, list[tuple[int, int]]], name: str, tensor: onnx.TensorProto
) -> int | None:
    """The place of the operator that a weight belongs to; None where it is none: a shape, a scale, a zero point."""
    if name not in readers:
        return None
    place, number = readers[name][0]
    node = graph.node[place]
    is_bias = tensor.data_type == _TYPES.INT32 and node.op_type == "DequantizeLinear" and number == 0
    if not is_bias and (tensor.data_type not in WEIGHTS or (node.op_type in _SCALED and number > 0)):
        return None
    while graph.node[place].op_type in _CARRIERS and (onwards := readers.get(graph.node[place].output[0])):
        place = onwards[0][0]
    return place


def _folded(graph: onnx.GraphProto, shapes: Mapping[str, Shape]) -> frozenset[int]:
    weights = {tensor.name for tensor in graph.initializer}
    living = {value.name for value in graph.input if value.name not in weights}
    folded = set()
    for place, node in enumerate(graph.node):
        reads_shape = node.op_type in _SHAPE_READERS and node.input[0] in shapes
        if reads_shape or living.isdisjoint(_read(node)):
            folded.add(place)
        else:
            living.update(node.output)
    return frozenset(folded)


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """Every tensor that a node reads, those that only graphs within it read as well."""
    yield from node.input
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                yield from _read(inner)
