"""ONNX models of a node or two, each with the NumPy function that it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from devices.engines.engine import Tensors

Axes = Sequence[int | str]
FLOAT, HALF, INT64, UINT8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.UINT8


@dataclass(frozen=True)
class TinyModel:
    """A model, what it computes, and tensors it takes."""

    proto: onnx.ModelProto
    answer: Callable[[Tensors], Tensors]
    example: Callable[[np.random.Generator], Tensors]

    def write(self, folder: Path) -> Path:
        """As a file."""
        path = folder / "tiny.onnx"
        path.write_bytes(self.proto.SerializeToString())
        return path


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int, Axes]],
    outputs: dict[str, tuple[int, Axes]],
    initialisers: Sequence[onnx.TensorProto] = (),
) -> onnx.ModelProto:
    """A model of these nodes, by name: (element type, shape) of what goes in and out."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, axes) for name, (kind, axes) in inputs.items()],
        [helper.make_tensor_value_info(name, kind, axes) for name, (kind, axes) in outputs.items()],
        initialisers,
    )
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="tests", producer_version="1")


def doubled() -> TinyModel:
    """Twice x plus one, all shapes fixed."""
    nodes = [helper.make_node("Mul", ["x", "two"], ["m"]), helper.make_node("Add", ["m", "one"], ["y"])]
    constants = [numpy_helper.from_array(np.float32(2), "two"), numpy_helper.from_array(np.float32(1), "one")]
    shape = (1, 3, 4, 5)
    return TinyModel(
        model(nodes, {"x": (FLOAT, shape)}, {"y": (FLOAT, shape)}, constants),
        lambda tensors: {"y": tensors["x"] * np.float32(2) + np.float32(1)},
        lambda random: {"x": random.random(shape, np.float32)},
    )


def two_inputs() -> TinyModel:
    """An image and an int64 table, the batch open in both; two outputs in an order of their own."""
    nodes = [helper.make_node("Add", ["sizes", "sizes"], ["twice"]), helper.make_node("Neg", ["images"], ["negative"])]
    return TinyModel(
        model(
            nodes,
            {"images": (FLOAT, ("N", 3, 4, 5)), "sizes": (INT64, ("N", 2))},
            {"twice": (INT64, ("N", 2)), "negative": (FLOAT, ("N", 3, 4, 5))},
        ),
        lambda tensors: {"twice": tensors["sizes"] * 2, "negative": -tensors["images"]},
        lambda random: {"images": random.random((2, 3, 4, 5), np.float32), "sizes": random.integers(0, 99, (2, 2))},
    )


def half() -> TinyModel:
    """float16 in and out."""
    return TinyModel(
        model([helper.make_node("Neg", ["x"], ["y"])], {"x": (HALF, (1, 4))}, {"y": (HALF, (1, 4))}),
        lambda tensors: {"y": (-tensors["x"]).astype(np.float32)},
        lambda random: {"x": random.random((1, 4)).astype(np.float16)},
    )


def open_size() -> TinyModel:
    """Batch, height and width open."""
    axes = ("N", 3, "H", "W")
    return TinyModel(
        model([helper.make_node("Neg", ["x"], ["y"])], {"x": (FLOAT, axes)}, {"y": (FLOAT, axes)}),
        lambda tensors: {"y": -tensors["x"]},
        lambda random: {"x": random.random((1, 3, 6, 7), np.float32)},
    )


def same_image(kind: int = FLOAT, axes: Axes = ("N", 3, 6, 8)) -> onnx.ModelProto:
    """Gives back the image tensor it gets, so that a test sees what reached the model."""
    return model([helper.make_node("Identity", ["image"], ["seen"])], {"image": (kind, axes)}, {"seen": (kind, axes)})


TINY_MODELS: dict[str, Callable[[], TinyModel]] = {
    "fixed": doubled,
    "two inputs, batch open": two_inputs,
    "float16": half,
    "size open": open_size,
}
