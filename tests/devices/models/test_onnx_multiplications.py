"""Multiply-adds of single operators, against sums done by hand."""

from __future__ import annotations

import onnx
import pytest
from models.small_graphs import graph, node, weights

from devices.models.onnx_layers import read_layers
from devices.models.onnx_multiplications import multiply_adds, needed
from devices.models.onnx_shapes import inferred_shapes

PICTURE = {"x": (1, 3, 32, 32)}

# Operator, its constants, and the sum by hand.
CASES: dict[str, tuple[onnx.ModelProto, int]] = {
    # 16 x 32 x 32 outputs, each of 3 x 3 x 3 products.
    "convolution": (
        graph(
            [node("Conv", "x w b", "y", pads=[1, 1, 1, 1])],
            PICTURE,
            ["y"],
            {"w": weights(16, 3, 3, 3), "b": weights(16)},
        ),
        16 * 32 * 32 * 27,
    ),
    # Strides of 2 give 16 x 16 places.
    "strided": (
        graph(
            [node("Conv", "x w", "y", pads=[1, 1, 1, 1], strides=[2, 2])], PICTURE, ["y"], {"w": weights(16, 3, 3, 3)}
        ),
        16 * 16 * 16 * 27,
    ),
    # Depthwise: every output sees one channel only.
    "grouped": (
        graph([node("Conv", "x w", "y", group=3, pads=[2, 2, 2, 2])], PICTURE, ["y"], {"w": weights(3, 1, 5, 5)}),
        3 * 32 * 32 * 25,
    ),
    # Two pictures at once take twice as much.
    "batch": (
        graph([node("Conv", "x w", "y")], {"x": (2, 3, 8, 8)}, ["y"], {"w": weights(4, 3, 1, 1)}),
        2 * 4 * 8 * 8 * 3,
    ),
    # Each of 8 x 8 x 3 inputs is spread over 5 channels of 2 x 2.
    "transposed": (
        graph(
            [node("ConvTranspose", "x w", "y", strides=[2, 2])], {"x": (1, 3, 8, 8)}, ["y"], {"w": weights(3, 5, 2, 2)}
        ),
        3 * 8 * 8 * 5 * 4,
    ),
    "product": (graph([node("MatMul", "x w", "y")], {"x": (4, 7, 10)}, ["y"], {"w": weights(10, 6)}), 4 * 7 * 6 * 10),
    "product of tensors": (graph([node("MatMul", "x z", "y")], {"x": (2, 3, 5), "z": (2, 5, 4)}, ["y"]), 2 * 3 * 4 * 5),
    "gemm": (
        graph([node("Gemm", "x w", "y", transB=1)], {"x": (2, 10)}, ["y"], {"w": weights(6, 10)}),
        2 * 6 * 10,
    ),
    "gemm, left side turned": (
        graph([node("Gemm", "x w", "y", transA=1)], {"x": (10, 2)}, ["y"], {"w": weights(10, 6)}),
        2 * 6 * 10,
    ),
    "einsum": (
        graph([node("Einsum", "x z", "y", equation="bik,bkj->bij")], {"x": (2, 3, 5), "z": (2, 5, 4)}, ["y"]),
        2 * 3 * 4 * 5,
    ),
    # 7 steps, each 4 gates of 8, over 5 inputs and 8 states.
    "recurrent": (
        graph(
            [node("LSTM", "x w r", "y", hidden_size=8)],
            {"x": (7, 1, 5)},
            ["y"],
            {"w": weights(1, 32, 5), "r": weights(1, 32, 8)},
        ),
        7 * 32 * (5 + 8),
    ),
    "nothing that is counted": (graph([node("Relu", "x", "y")], PICTURE, ["y"]), 0),
}


@pytest.mark.parametrize("case", CASES)
def test_counted_as_by_hand(case: str) -> None:
    """Every operator that multiplies is counted as a pencil would."""
    proto, by_hand = CASES[case]
    layers = read_layers(proto, inferred_shapes(proto, {}))

    assert [multiply_adds(layer) for layer in layers] == [by_hand]


def test_an_open_size_is_not_guessed() -> None:
    """Without the picture's size there is no number, and it is told which tensors are missing; with it there is."""
    proto = graph([node("Conv", "x w", "y")], {"x": (1, 3, "H", "W")}, ["y"], {"w": weights(4, 3, 1, 1)})
    (open_layer,) = read_layers(proto, inferred_shapes(proto, {}))
    (layer,) = read_layers(proto, inferred_shapes(proto, {"x": (1, 3, 10, 20)}))

    assert multiply_adds(open_layer) is None
    assert needed(open_layer) == ("x", "y")
    assert multiply_adds(layer) == 4 * 200 * 3
