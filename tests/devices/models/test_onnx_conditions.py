"""Which operators accelerators leave to others, and why."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from models.small_graphs import graph, node, numbers, weights

from devices.models.onnx_conditions import why_not
from devices.models.onnx_layers import read_layers
from devices.models.onnx_shapes import inferred_shapes

PICTURE = {"x": (1, 8, 16, 16)}


def convolution(*kernel: int, **attributes: object) -> onnx.ModelProto:
    return graph([node("Conv", "x w", "y", **attributes)], PICTURE, ["y"], {"w": weights(*kernel)})


def quantised(zero_point: np.generic) -> onnx.ModelProto:
    nodes = [node("QuantizeLinear", "x s z", "q")]
    return graph(nodes, PICTURE, ["q"], {"s": np.array(0.1, np.float32), "z": np.array(zero_point)})


# Target, the model, and how the reason begins; "" where it is taken.
CASES: dict[str, tuple[str, onnx.ModelProto, str]] = {
    "a plain convolution": ("dla", convolution(4, 8, 3, 3), ""),
    "quantised weights": (
        "dla",
        graph(
            [node("DequantizeLinear", "q s z", "w"), node("Conv", "x w", "y")],
            PICTURE,
            ["y"],
            {"q": np.ones((4, 8, 1, 1), np.int8), "s": np.array(0.1, np.float32), "z": np.array(0, np.int8)},
        ),
        "",
    ),
    "a stride of 16": ("dla", convolution(4, 8, 3, 3, strides=[16, 16]), "a stride of 16, takes 8"),
    "channels joined": ("dla", graph([node("Concat", "x x", "y", axis=1)], PICTURE, ["y"]), ""),
    "rows joined": ("dla", graph([node("Concat", "x x", "y", axis=2)], PICTURE, ["y"]), "axis 2, takes channels only"),
    "three axes": ("dla", graph([node("Relu", "x", "y")], {"x": (1, 8, 16)}, ["y"]), "a tensor of 3 axes"),
    "too wide": ("dla", graph([node("Relu", "x", "y")], {"x": (1, 1, 1, 9000)}, ["y"]), "an axis of 9000"),
    "an open batch": ("dla", graph([node("Relu", "x", "y")], {"x": ("N", 8, 4, 4)}, ["y"]), "a shape is not fixed"),
    "gathering": ("dla", graph([node("Gather", "x i", "y")], PICTURE, ["y"], {"i": numbers(0)}), "not supported"),
    "grouped deconvolution": (
        "dla",
        graph([node("ConvTranspose", "x w", "y", group=2)], PICTURE, ["y"], {"w": weights(8, 2, 2, 2)}),
        "groups",
    ),
    "a product of tensors": (
        "dla",
        graph([node("MatMul", "x z", "y")], {"x": (1, 1, 4, 4), "z": (1, 1, 4, 4)}, ["y"]),
        "two tensors that are computed",
    ),
    "softmax of 1000": ("dla", graph([node("Softmax", "x", "y", axis=1)], {"x": (1, 1000, 2, 1)}, ["y"]), ""),
    "softmax of 2000": ("dla", graph([node("Softmax", "x", "y", axis=1)], {"x": (1, 2000, 2, 1)}, ["y"]), "an axis"),
    "symmetric int8": ("tensorrt", quantised(np.int8(0)), ""),
    "asymmetric int8": ("tensorrt", quantised(np.int8(3)), "a zero point that is not 0"),
    "uint8": ("tensorrt", quantised(np.uint8(0)), "uint8, takes int8"),
    "4000 best": (
        "tensorrt",
        graph([node("TopK", "x k", "v i", axis=-1)], {"x": (1, 5000)}, ["v"], {"k": numbers(4000)}),
        "k of 4000",
    ),
    "an operator of one's own": (
        "tensorrt",
        graph([node("Magic", "x", "y", domain="tests.example")], PICTURE, ["y"]),
        "not supported",
    ),
    "suppression": (
        "coreml",
        graph([node("NonMaxSuppression", "b s", "y")], {"b": (1, 9, 4), "s": (1, 2, 9)}, ["y"]),
        "not supported",
    ),
    "a constant slice": (
        "coreml",
        graph([node("Slice", "x a b", "y")], PICTURE, ["y"], {"a": numbers(0), "b": numbers(1)}),
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_an_accelerator_takes(case: str) -> None:
    """Kind, shapes and attributes decide, and the reason says which."""
    target, proto, begins = CASES[case]
    layer = read_layers(proto, inferred_shapes(proto, {}))[-1]
    reason = why_not(target, layer)

    assert reason.startswith(begins)
    assert bool(reason) == bool(begins)
