"""Graphs of a few nodes, of any operators, inputs and constants: what tests of model tools take apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Axes = Sequence[int | str]
FLOAT = TensorProto.FLOAT


def node(kind: str, inputs: str, outputs: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    """An operator by the names of its inputs and outputs, blanks between; it is called as its first output."""
    names = outputs.split()
    return helper.make_node(kind, inputs.split(), names, name=names[0], domain=domain, **attributes)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Axes],
    outputs: Sequence[str],
    constants: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model of float inputs; its outputs get the shapes that ONNX infers."""
    proto = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info(name, FLOAT, axes) for name, axes in inputs.items()],
            [onnx.ValueInfoProto(name=name) for name in outputs],
            [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
        ),
        opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("tests.example", 1)],
        ir_version=8,
    )
    inferred = onnx.shape_inference.infer_shapes(proto)
    for place, value in enumerate(inferred.graph.output):
        proto.graph.output[place].CopyFrom(value)
    return proto


def weights(*shape: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Random weights of a shape."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def numbers(*values: int) -> npt.NDArray[np.int64]:
    """Whole numbers, as shapes and axes are told."""
    return np.array(values, np.int64)
