"""ONNX's layers over pictures (convolutions, pooling, resizing, normalising), in MIL."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from devices.models.coreml_node import Node, Rule, Value, fixed_shape, pairs

_LINEAR = {"half_pixel": "UNALIGN_CORNERS", "pytorch_half_pixel": "UNALIGN_CORNERS", "asymmetric": "DEFAULT",
           "align_corners": "STRICT_ALIGN_CORNERS"}  # fmt: skip
_SAMPLING = {"linear": "bilinear", "bilinear": "bilinear", "nearest": "nearest"}
_OUTSIDE = {"zeros": "constant", "border": "border", "reflection": "reflection"}


def _convolution(node: Node) -> Value:
    weight, bias = node.needed(1), node.input(2)
    kernel = [int(size) for size in weight.shape[2:]]
    return node.mil.conv(
        x=node.x,
        weight=weight,
        strides=node.attribute("strides") or [1] * len(kernel),
        dilations=node.attribute("dilations") or [1] * len(kernel),
        groups=node.attribute("group", 1),
        **_padding(node, kernel),
        **({} if bias is None else {"bias": bias}),
    )


def _padding(node: Node, kernel: Sequence[int]) -> dict[str, object]:
    """Numbers in every case: what MIL calls `same` was not the same in every release."""
    auto = bytes(node.attribute("auto_pad", b"NOTSET")).decode()
    if auto == "NOTSET":
        return {"pad_type": "custom", "pad": pairs(node.attribute("pads") or [0] * 2 * len(kernel))}
    if auto == "VALID":
        return {"pad_type": "custom", "pad": [0] * 2 * len(kernel)}
    sizes, ones = fixed_shape(node, node.x)[2:], [1] * len(kernel)
    strides, gaps = node.attribute("strides") or ones, node.attribute("dilations") or ones
    around: list[int] = []
    for size, width, stride, gap in zip(sizes, kernel, strides, gaps, strict=True):
        total = max(0, (-(-size // stride) - 1) * stride + (width - 1) * gap + 1 - size)
        less, more = total // 2, total - total // 2
        around += (less, more) if auto == "SAME_UPPER" else (more, less)
    return {"pad_type": "custom", "pad": around}


def _turned_convolution(node: Node) -> Value:
    weight, bias = node.constant(1, "weight"), node.input(2)
    kernel = list(weight.shape[2:])
    is_sized = any(node.attribute("output_padding") or ()) or node.attribute("output_shape")
    if is_sized or node.attribute("auto_pad", b"NOTSET") != b"NOTSET":
        raise node.refusal("an output of a size of its own (output_padding, output_shape, auto_pad) is not supported")
    return node.mil.conv_transpose(
        x=node.x,
        weight=weight,
        strides=node.attribute("strides") or [1] * len(kernel),
        dilations=node.attribute("dilations") or [1] * len(kernel),
        groups=node.attribute("group", 1),
        **_padding(node, kernel),
        **({} if bias is None else {"bias": bias}),
    )


def _pooling(name: str) -> Rule:
    def rule(node: Node) -> Value:
        kernel = node.attribute("kernel_shape")
        if set(node.attribute("dilations") or [1]) != {1} or node.output_count > 1:
            raise node.refusal("pooling with gaps, or that tells where its maximum was, is not in Core ML")
        excludes = {"exclude_padding_from_average": not node.attribute("count_include_pad", 0)}
        return getattr(node.mil, name)(
            x=node.x,
            kernel_sizes=kernel,
            strides=node.attribute("strides") or [1] * len(kernel),
            ceil_mode=bool(node.attribute("ceil_mode", 0)),
            **_padding(node, kernel),
            **(excludes if name == "avg_pool" else {}),
        )

    return rule


def _whole(name: str) -> Rule:
    """Over the whole picture."""

    def rule(node: Node) -> Value:
        axes = list(range(2, len(node.x.shape)))
        return getattr(node.mil, name)(x=node.x, axes=axes, keep_dims=True)

    return rule


def _resized(node: Node) -> Value:
    shape = fixed_shape(node, node.x)
    wanted = _wanted_size(node, shape)
    if len(shape) != 4 or wanted[:2] != shape[:2]:
        raise node.refusal("it resizes other axes than height and width")
    mode = bytes(node.attribute("mode", b"nearest")).decode()
    way = bytes(node.attribute("coordinate_transformation_mode", b"half_pixel" if node.opset > 10 else b"asymmetric"))
    if mode == "linear" and way.decode() in _LINEAR:
        return node.mil.resize_bilinear(
            x=node.x,
            target_size_height=wanted[2],
            target_size_width=wanted[3],
            sampling_mode=_LINEAR[way.decode()],
        )
    times = [size // before for size, before in zip(wanted[2:], shape[2:], strict=True)]
    is_whole = all(size % before == 0 for size, before in zip(wanted[2:], shape[2:], strict=True))
    if mode != "nearest" or not is_whole or not _repeats(node, way.decode(), times):
        raise node.refusal(f"resizing by {mode}, {way.decode()}, from {shape[2:]} to {wanted[2:]} is not in Core ML")
    return node.mil.upsample_nearest_neighbor(x=node.x, scale_factor_height=times[0], scale_factor_width=times[1])


def _wanted_size(node: Node, shape: tuple[int, ...]) -> tuple[int, ...]:
    if node.operator == "Upsample" or node.opset <= 10:
        scales = node.attributes["scales"] if "scales" in node.attributes else node.constant(1, "scales")
    elif node.input(3) is not None and node.constant(3, "sizes").size:
        return tuple(int(size) for size in node.constant(3, "sizes"))
    else:
        scales = node.constant(2, "scales")
    return tuple(math.floor(size * float(scale)) for size, scale in zip(shape, scales, strict=True))


def _repeats(node: Node, way: str, times: list[int]) -> bool:
    """Whether the nearest neighbour is every value so many times in a row, as Core ML has it."""
    rounding = bytes(node.attribute("nearest_mode", b"round_prefer_floor")).decode()
    if node.operator == "Upsample" or node.opset <= 10 or (way == "asymmetric" and rounding == "floor"):
        return True
    if way == "asymmetric":
        return rounding == "round_prefer_floor" and set(times) <= {1, 2}
    return way in ("half_pixel", "pytorch_half_pixel") and rounding in ("round_prefer_floor", "round_prefer_ceil")


def _normalised_batch(node: Node) -> Value:
    gamma, beta, mean, variance = (node.constant(index, "statistics") for index in (1, 2, 3, 4))
    epsilon = float(node.attribute("epsilon", 1e-5))
    return node.mil.batch_norm(x=node.x, mean=mean, variance=variance, gamma=gamma, beta=beta, epsilon=epsilon)


def _normalised_layer(node: Node) -> Value:
    axis = node.attribute("axis", -1) % len(node.x.shape)
    axes = list(range(axis, len(node.x.shape)))
    own = fixed_shape(node, node.x)[axis:]
    weights = {"gamma": np.broadcast_to(node.constant(1, "scale"), own).copy()}
    if node.input(2) is not None:
        weights["beta"] = np.broadcast_to(node.constant(2, "bias"), own).copy()
    return node.mil.layer_norm(x=node.x, axes=axes, epsilon=float(node.attribute("epsilon", 1e-5)), **weights)


def _normalised_picture(node: Node) -> Value:
    gamma, beta = node.constant(1, "scale"), node.constant(2, "bias")
    return node.mil.instance_norm(x=node.x, gamma=gamma, beta=beta, epsilon=float(node.attribute("epsilon", 1e-5)))


def _sampled(node: Node) -> Value:
    mode = _SAMPLING.get(bytes(node.attribute("mode", b"linear")).decode())
    outside = bytes(node.attribute("padding_mode", b"zeros")).decode()
    if mode is None or len(node.x.shape) != 4:
        raise node.refusal("Core ML samples pictures by nearest or linear neighbours only")
    return node.mil.resample(
        x=node.x,
        coordinates=node.inputs[1],
        sampling_mode=mode,
        padding_mode=_OUTSIDE[outside],
        padding_value=np.float32(0),
        coordinates_mode="normalized_minus_one_to_one",
        align_corners=bool(node.attribute("align_corners", 0)),
    )


RULES: dict[str, Rule] = {
    "AveragePool": _pooling("avg_pool"),
    "BatchNormalization": _normalised_batch,
    "Conv": _convolution,
    "ConvTranspose": _turned_convolution,
    "GlobalAveragePool": _whole("reduce_mean"),
    "GlobalMaxPool": _whole("reduce_max"),
    "GridSample": _sampled,
    "InstanceNormalization": _normalised_picture,
    "LayerNormalization": _normalised_layer,
    "MaxPool": _pooling("max_pool"),
    "Resize": _resized,
    "Upsample": _resized,
}
