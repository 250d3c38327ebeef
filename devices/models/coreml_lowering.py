"""An ONNX graph as a Core ML program in its intermediate language (MIL): one rule an operator.

The ONNX front end of coremltools is gone since its version 6, and its PyTorch front end would need PyTorch and a second
converter (onnx2torch), which has rules for four of six detectors that were tried.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from devices.engines.engine import ImageInput
from devices.errors import EngineLoadError
from devices.models import coreml_arithmetic, coreml_layers, coreml_shapes, coreml_suppression
from devices.models.coreml_node import MilObject, Node, Rule, Value

RULES: Mapping[str, Rule] = {
    **coreml_arithmetic.RULES,
    **coreml_layers.RULES,
    **coreml_shapes.RULES,
    **coreml_suppression.RULES,
}
_NARROWED = {"int64": np.int32, "float64": np.float32, "uint8": np.int32, "float16": np.float32}
_INT32 = np.iinfo(np.int32)
_QUANTISED = {"QuantizeLinear", "DequantizeLinear"}


@dataclass(frozen=True)
class ProgramInput:
    """An input of the program.

    Attributes:
        onnx_name, name: in the ONNX graph, and as Core ML allows it.
        shape: fixed.
        is_whole: of whole numbers.
    """

    onnx_name: str
    name: str
    shape: tuple[int, ...]
    is_whole: bool


def refuse_unknown(graph: onnx.GraphProto) -> None:
    """Tell every operator that has no rule, at once.

    Raises:
        EngineLoadError: there are such.
    """
    counts = Counter(
        f"{node.domain}:{node.op_type}" if node.domain else node.op_type
        for node in graph.node
        if node.domain not in ("", "ai.onnx") or node.op_type not in RULES
    )
    if counts:
        told = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
        hint = "; give the model as it was before it was quantised" if _QUANTISED & set(counts) else ""
        raise EngineLoadError(f"coreml: the model has operators that cannot be converted: {told}{hint}")


def program_inputs(graph: onnx.GraphProto) -> tuple[ProgramInput, ...]:
    """The graph's inputs.

    Raises:
        EngineLoadError: one has an open axis.
    """
    weights = {tensor.name for tensor in graph.initializer}
    found = []
    for value in graph.input:
        tensor = value.type.tensor_type
        shape = tuple(axis.dim_value for axis in tensor.shape.dim)
        if value.name in weights:
            continue
        if 0 in shape:
            raise EngineLoadError(f"coreml: input {value.name} leaves a size open; export the model with fixed shapes")
        is_whole = tensor.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        found.append(ProgramInput(value.name, identifier(value.name), shape, is_whole))
    return tuple(found)


def output_names(graph: onnx.GraphProto) -> dict[str, str]:
    """The outputs' names in the graph, and as Core ML allows them; all different."""
    found: dict[str, str] = {}
    for value in graph.output:
        name = identifier(value.name)
        while name in found.values():
            name += "_"
        found[value.name] = name
    return found


def identifier(name: str) -> str:
    """A name as Core ML allows it: letters, digits and _, no digit first."""
    allowed = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{allowed}" if not allowed or allowed[0].isdigit() else allowed


def lowered(
    mil: MilObject,
    proto: onnx.ModelProto,
    given: Mapping[str, MilObject],
    image: ImageInput | None,
    *,
    since_ios17: bool = False,
) -> tuple[MilObject, ...]:
    """Build the graph's operations; gives the outputs, under their names.

    Args:
        mil: coremltools' builder, inside a function.
        proto: folded, shapes fixed.
        given: the function's inputs by their ONNX names.
        image: what is first done to the picture input, or None.
        since_ios17: whether the program is for iOS 17 or later, where some operations were changed.

    Raises:
        EngineLoadError: a node cannot be had.
    """
    graph = proto.graph
    opset = next(each.version for each in proto.opset_import if each.domain in ("", "ai.onnx"))
    values: dict[str, Value] = {tensor.name: _array(tensor) for tensor in graph.initializer}
    values |= given
    if image is not None:
        values[image.name] = _normalised(mil, values[image.name], image)
    for node in graph.node:
        _add(mil, node, opset, values, since_ios17=since_ios17)
    names = output_names(graph)
    return tuple(mil.identity(x=values[value.name], name=names[value.name]) for value in graph.output)


def _add(mil: MilObject, proto: onnx.NodeProto, opset: int, values: dict[str, Value], *, since_ios17: bool) -> None:
    node = Node(
        mil=mil,
        operator=proto.op_type,
        name=proto.name or proto.output[0],
        inputs=tuple(values[name] if name else None for name in proto.input),
        attributes={each.name: _attribute(each) for each in proto.attribute},
        opset=opset,
        since_ios17=since_ios17,
        output_count=sum(bool(name) for name in proto.output),
    )
    try:
        made = RULES[node.operator](node)
    except (ValueError, TypeError, AssertionError, NotImplementedError, IndexError) as error:  # the builder's own
        raise node.refusal(str(error)) from error
    outputs: Sequence[Value] = made if isinstance(made, tuple) else (made,)
    values.update(zip((name for name in proto.output if name), outputs, strict=False))


def _attribute(proto: onnx.AttributeProto) -> Any:  # noqa: ANN401 - an attribute is whatever ONNX has there
    value = onnx.helper.get_attribute_value(proto)
    return _array(value) if isinstance(value, onnx.TensorProto) else value


def _array(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    """Weights and numbers, in a type that Core ML has."""
    array = np.asarray(onnx.numpy_helper.to_array(tensor))
    narrow = _NARROWED.get(array.dtype.name)
    if narrow is None:
        return array
    return np.asarray(np.clip(array, _INT32.min, _INT32.max) if array.dtype.kind in "iu" else array, narrow)


def _normalised(mil: MilObject, picture: MilObject, image: ImageInput) -> MilObject:
    """(x - mean) * scale per channel, of a picture (1, 3, height, width) of 0 to 255."""
    mean, scale = (np.array(each, np.float32).reshape(1, 3, 1, 1) for each in (image.mean, image.scale))
    if mean.any():
        picture = mil.sub(x=picture, y=mean)
    return mil.mul(x=picture, y=scale) if (scale != 1).any() else picture
