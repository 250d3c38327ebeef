"""How many multiplications, each with an addition, an inference takes: convolutions and matrix products.

Counted as the field does: what multiplies weights or tensors with each other. Activations, pooling, resizing and
element-wise operators are left out; in detectors they are a few per cent. One multiply-add is two FLOPs, so that
YOLOX-nano at 416 x 416, published with 1.08 GFLOPs, has 0.54 G of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devices.models.onnx_layers import Layer, elements
from devices.models.onnx_shapes import Shape


def multiply_adds(layer: Layer) -> int | None:
    """Of one operator: 0 where it multiplies nothing that is counted, None where a shape it takes is not known."""
    count = _COUNTS.get(layer.kind)
    if count is None:
        return 0
    try:
        return count(layer)
    except _Unknown:
        return None


def needed(layer: Layer) -> tuple[str, ...]:
    """The tensors whose shapes are not known, of an operator that cannot be counted without."""
    if layer.kind not in _COUNTS:
        return ()
    inputs = zip(layer.node.input, layer.inputs, strict=True)
    outputs = zip(layer.node.output, layer.outputs, strict=True)
    return tuple(name for name, shape in (*inputs, *outputs) if name and shape is None)


class _Unknown(Exception):  # noqa: N818 - never leaves this module
    """A shape is not known."""


def _known(shapes: Sequence[Shape | None], place: int) -> Shape:
    shape = shapes[place] if place < len(shapes) else None
    if shape is None:
        raise _Unknown
    return shape


def _convolution(layer: Layer, weight: int = 1) -> int:
    """Every element given sums a window of the channels of its group: the weight's axes but the first."""
    return elements(_known(layer.outputs, 0)) * elements(_known(layer.inputs, weight)[1:])


def _transposed_convolution(layer: Layer) -> int:
    """Every element taken is spread over a window of the channels of its group."""
    return elements(_known(layer.inputs, 0)) * elements(_known(layer.inputs, 1)[1:])


def _product(layer: Layer) -> int:
    """Every element given sums along the last axis of the left side."""
    left = _known(layer.inputs, 0)
    return elements(_known(layer.outputs, 0)) * left[-1]


def _gemm(layer: Layer) -> int:
    left = _known(layer.inputs, 0)
    return elements(_known(layer.outputs, 0)) * left[0 if layer.attribute("transA", 0) else -1]


def _einsum(layer: Layer) -> int:
    """One for every combination of its letters; for more than two tensors as if all were multiplied at once."""
    equation = layer.attribute("equation", b"")
    text = equation.decode() if isinstance(equation, bytes) else str(equation)
    terms = text.replace(" ", "").split("->")[0].split(",")
    if "..." in text:
        raise _Unknown
    sizes: dict[str, int] = {}
    for place, term in enumerate(terms):
        sizes |= dict(zip(term, _known(layer.inputs, place), strict=True))
    return elements(sizes.values()) * max(1, len(terms) - 1)


def _recurrent(layer: Layer) -> int:
    """At every step and for every row of the batch, both weight matrices once."""
    steps = _known(layer.inputs, 0)
    return elements(steps[:2]) * sum(elements(_known(layer.inputs, place)) for place in (1, 2))


_COUNTS: dict[str, Callable[[Layer], int]] = {
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "QLinearConv": lambda layer: _convolution(layer, weight=3),
    "com.microsoft:FusedConv": _convolution,
    "com.microsoft:NhwcFusedConv": _convolution,
    "DeformConv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QLinearMatMul": _product,
    "com.microsoft:FusedMatMul": _product,
    "Gemm": _gemm,
    "com.microsoft:FusedGemm": _gemm,
    "Einsum": _einsum,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}
