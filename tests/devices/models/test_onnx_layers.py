"""Which weights belong to which operator, and what run-times compute when loading."""

from __future__ import annotations

import numpy as np
import onnx
from models.small_graphs import graph, node, numbers, weights

from devices.models.onnx_layers import read_layers
from devices.models.onnx_shapes import inferred_shapes, run_shapes


def parameters(proto: onnx.ModelProto) -> dict[str, int]:
    layers = read_layers(proto, inferred_shapes(proto, {}))
    return {layer.name: layer.parameters for layer in layers if layer.parameters}


def test_shapes_are_no_parameters() -> None:
    """Weights and biases count; the target of a reshape does not."""
    proto = graph(
        [node("Conv", "x w b", "c"), node("Reshape", "c s", "y")],
        {"x": (1, 3, 8, 8)},
        ["y"],
        {"w": weights(4, 3, 1, 1), "b": weights(4), "s": numbers(1, -1)},
    )

    assert parameters(proto) == {"c": 4 * 3 + 4}


def test_a_quantised_weight_belongs_to_its_convolution() -> None:
    """Behind a DequantizeLinear the weight is still the convolution's; scale and zero point are no parameters."""
    proto = graph(
        [node("DequantizeLinear", "q s z", "w", axis=0), node("Conv", "x w", "y")],
        {"x": (1, 3, 8, 8)},
        ["y"],
        {"q": np.ones((4, 3, 1, 1), np.int8), "s": np.ones(4, np.float32), "z": np.zeros(4, np.int8)},
    )

    assert parameters(proto) == {"y": 12}


def test_a_shared_weight_counts_once() -> None:
    """Two products with the same weight have it once, and the first has it."""
    nodes = [node("MatMul", "x w", "a"), node("MatMul", "a w", "y")]

    assert parameters(graph(nodes, {"x": (1, 6)}, ["y"], {"w": weights(6, 6)})) == {"a": 36}


def test_shape_sums_are_folded() -> None:
    """What hangs on fixed shapes only is computed when loading; what hangs on values is not."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape first", "rows"),
        node("Concat", "rows rest", "target", axis=0),
        node("Reshape", "x target", "y"),
    ]
    proto = graph(nodes, {"x": (2, 3, 4)}, ["y"], {"first": numbers(0), "rest": numbers(-1)})
    layers = read_layers(proto, inferred_shapes(proto, {}))

    assert [layer.name for layer in layers if not layer.is_folded] == ["y"]


def test_shapes_that_only_a_run_tells() -> None:
    """Where inference gives up, running the model once tells the shape."""
    nodes = [node("NonZero", "x", "places"), node("Transpose", "places", "rows")]
    proto = graph(nodes, {"x": (2, 3)}, ["rows"])
    known = inferred_shapes(proto, {})
    found = run_shapes(proto, ["places", "rows"], {"x": np.ones((2, 3), np.float32)})

    assert "rows" not in known
    assert found == {"places": (2, 6), "rows": (6, 2)}
