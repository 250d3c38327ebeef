"""Why an accelerator leaves one operator of a graph to others: its kind, and the limits on shapes and attributes.

Sources: the tables' own (`onnx_operator_tables`); for a DLA also TensorRT's "DLA Supported Layers and Restrictions"
(2026: 4-D tensors, batch up to 4096, other axes up to 8192, kernels up to 32, strides up to 8; deconvolution without
groups, dilation or padding; concatenation of channels) and `ISoftMaxLayer` of its API (axis up to 1024, or up to 8192
where all other axes are 1). Limits that those pages do not tell are not guessed; the builder has the last word.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from devices.models.onnx_layers import Layer, elements
from devices.models.onnx_operator_tables import TABLES

_DLA_AXIS, _DLA_BATCH, _DLA_KERNEL, _DLA_STRIDE = 8192, 4096, 32, 8
_DLA_SOFTMAX = 1024
_TOPK_MOST = 3840
_LOOKS_AT_ONE_TENSOR = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "MatMul", "Gemm", "Constant"})


def why_not(target: str, layer: Layer) -> str:
    """Why the target does not take an operator, as a clause; or "".

    Args:
        target: a name of `onnx_operator_tables.TABLES` but "npu", which reads other operators than ONNX's.
        layer: the operator.
    """
    if layer.kind not in TABLES[target].operators:
        return "not supported"
    rules = _RULES.get(target, {})
    checks = [rule for kind in ("*", layer.kind) if (rule := rules.get(kind)) is not None]
    return next((reason for rule in checks if (reason := rule(layer))), "")


def _dla_shapes(layer: Layer) -> str:
    for shape in (*layer.inputs[:1], *layer.outputs[:1]):
        if shape is None:
            return "a shape is not fixed"
        if len(shape) != 4 and layer.kind not in _LOOKS_AT_ONE_TENSOR:
            return f"a tensor of {len(shape)} axes, takes 4"
        if shape and (shape[0] > _DLA_BATCH or max(shape[1:], default=1) > _DLA_AXIS):
            return f"an axis of {max(shape)}, takes {_DLA_AXIS}"
    return ""


def _dla_convolution(layer: Layer) -> str:
    weight = layer.inputs[1]
    if 1 not in layer.fixed:
        return "weights that are computed"
    if weight is None or len(weight) != 4:
        return "not two-dimensional"
    if max(weight[2:]) > _DLA_KERNEL:
        return f"a kernel of {max(weight[2:])}, takes {_DLA_KERNEL}"
    strides = layer.whole_numbers("strides")
    return f"a stride of {max(strides)}, takes {_DLA_STRIDE}" if strides and max(strides) > _DLA_STRIDE else ""


def _dla_deconvolution(layer: Layer) -> str:
    if layer.attribute("group", 1) != 1:
        return "groups"
    if any(step != 1 for step in layer.whole_numbers("dilations")):
        return "dilation"
    return "padding" if any(layer.whole_numbers("pads")) else ""


def _dla_concatenation(layer: Layer) -> str:
    axis, first = layer.attribute("axis"), layer.outputs[0]
    rank = len(first) if first is not None else 4
    place = int(axis) if isinstance(axis, int) else 0
    return "" if place % rank == 1 else f"axis {place}, takes channels only"


def _dla_softmax(layer: Layer) -> str:
    shape = layer.inputs[0]
    axis = layer.attribute("axis", -1)
    if shape is None or not isinstance(axis, int):
        return "a shape is not fixed"
    own = shape[axis]
    alone = elements(shape[1:]) == own
    most = _DLA_AXIS if alone else _DLA_SOFTMAX
    return "" if own <= most and axis % len(shape) else f"an axis of {own}, takes {most}"


def _dla_product(layer: Layer) -> str:
    return "" if 1 in layer.fixed else "two tensors that are computed; takes constant weights"


def _dla_clip(layer: Layer) -> str:
    """Before operator set 11 the limits are attributes."""
    least = _number(layer, 1) if layer.attribute("min") is None else layer.attribute("min")
    return "" if least in {0, None} else "a lower limit other than 0"


def _trt_pool(layer: Layer) -> str:
    if any(step != 1 for step in layer.whole_numbers("dilations")):
        return "dilation"
    return "the indices as a second output" if len([name for name in layer.node.output if name]) > 1 else ""


def _trt_zero_point(layer: Layer) -> str:
    """TensorRT quantises symmetrically to int8: a zero point of uint8, or not zero, stops its parser."""
    tensor = layer.constants.get(2)
    if tensor is None:
        return ""
    if tensor.data_type == onnx.TensorProto.UINT8:
        return "uint8, takes int8"
    if tensor.data_type == onnx.TensorProto.INT32 or tensor.data_location == onnx.TensorProto.EXTERNAL:
        return ""
    return "a zero point that is not 0" if np.any(onnx.numpy_helper.to_array(tensor)) else ""


def _trt_dequantised(layer: Layer) -> str:
    tensor = layer.constants.get(0)
    is_bias = tensor is not None and tensor.data_type == onnx.TensorProto.INT32
    return "a quantised bias (int32)" if is_bias else _trt_zero_point(layer)


def _trt_topk(layer: Layer) -> str:
    count = _number(layer, 1)
    return f"k of {count:.0f}, takes less than {_TOPK_MOST}" if count is not None and count >= _TOPK_MOST else ""


def _trt_resize(layer: Layer) -> str:
    mode = layer.attribute("mode", b"nearest")
    return "cubic interpolation" if mode == b"cubic" else ""


def _coreml_convolution(layer: Layer) -> str:
    weight = layer.inputs[1]
    if weight is not None and len(weight) > 4:
        return "three-dimensional"
    return "a bias that is computed" if len(layer.inputs) > 2 and 2 not in layer.fixed else ""


def _coreml_pool(layer: Layer) -> str:
    shape = layer.inputs[0]
    return "not two-dimensional" if shape is not None and len(shape) != 4 else ""


def _coreml_slice(layer: Layer) -> str:
    computed = [place for place, name in enumerate(layer.node.input) if place and name and place not in layer.fixed]
    return "limits that are computed" if computed else ""


def _number(layer: Layer, place: int) -> float | None:
    tensor = layer.constants.get(place)
    if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL:
        return None
    array = onnx.numpy_helper.to_array(tensor)
    return float(array.reshape(-1)[0]) if array.size else None


_RULES: dict[str, dict[str, Callable[[Layer], str]]] = {
    "dla": {
        "*": _dla_shapes,
        "Conv": _dla_convolution,
        "ConvTranspose": _dla_deconvolution,
        "Concat": _dla_concatenation,
        "Softmax": _dla_softmax,
        "MatMul": _dla_product,
        "Gemm": _dla_product,
        "Clip": _dla_clip,
    },
    "tensorrt": {
        "MaxPool": _trt_pool,
        "AveragePool": _trt_pool,
        "QuantizeLinear": _trt_zero_point,
        "DequantizeLinear": _trt_dequantised,
        "TopK": _trt_topk,
        "Resize": _trt_resize,
    },
    "coreml": {
        "Conv": _coreml_convolution,
        "AveragePool": _coreml_pool,
        "MaxPool": _coreml_pool,
        "Slice": _coreml_slice,
    },
}
