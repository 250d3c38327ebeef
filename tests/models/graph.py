"""A small writer of ONNX graphs: one call an operator, names made up as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
Value = str | float | int | npt.NDArray[Any]


class Graph:
    """Operators in order; a value is the name of a tensor, or a constant."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, element: int, shape: tuple[int | str, ...]) -> str:
        """Declare an input; text stands for an open axis."""
        self._inputs.append(helper.make_tensor_value_info(name, element, shape))
        return name

    def output(self, value: str, name: str, element: int, shape: tuple[int | str, ...]) -> None:
        """Give a value away under a name, cast to the element type declared."""
        self._nodes.append(helper.make_node("Cast", [value], [name], to=element))
        self._outputs.append(helper.make_tensor_value_info(name, element, shape))

    def op(self, kind: str, *values: Value, **attributes: Any) -> str:
        """Apply an operator with one result."""
        return self.ops(kind, 1, *values, **attributes)[0]

    def ops(self, kind: str, results: int, *values: Value, **attributes: Any) -> list[str]:
        """Apply an operator with several results."""
        names = [f"v{len(self._nodes)}_{result}" for result in range(results)]
        self._nodes.append(helper.make_node(kind, [self._named(value) for value in values], names, **attributes))
        return names

    def write(self, path: Path, metadata: Mapping[str, str]) -> Path:
        """Check the graph and write the file."""
        graph = helper.make_graph(self._nodes, "detector", self._inputs, self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        return path

    def _named(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        array = value if isinstance(value, np.ndarray) else np.array(value, np.float32)
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name


FLOAT, HALF, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
