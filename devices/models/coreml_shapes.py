"""ONNX's operators that move, cut, join and look up values, in MIL."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.models.coreml_node import Node, Rule, Value, fixed_shape, is_float, shape_of

_REST = -1


def _reshaped(node: Node) -> Value:
    wanted = [int(size) for size in node.constant(1, "shape")]
    if 0 in wanted and not node.attribute("allowzero", 0):
        own = shape_of(node.x)
        wanted = [own[axis] or _REST if size == 0 else size for axis, size in enumerate(wanted)]
    if wanted.count(_REST) > 1:
        raise node.refusal("the size of its input depends on what is in the picture")
    return node.mil.reshape(x=node.x, shape=wanted)


def _flattened(node: Node) -> Value:
    shape = fixed_shape(node, node.x)
    axis = node.attribute("axis", 1) % (len(shape) + 1)
    return node.mil.reshape(x=node.x, shape=(int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))))


def _squeezed(node: Node) -> Value:
    axes = node.numbers("axes", 1)
    return node.mil.squeeze(x=node.x) if axes is None else node.mil.squeeze(x=node.x, axes=axes)


def _unsqueezed(node: Node) -> Value:
    axes = node.numbers("axes", 1) or []
    rank = len(node.x.shape) + len(axes)
    return node.mil.expand_dims(x=node.x, axes=sorted(axis % rank for axis in axes))


def _transposed(node: Node) -> Value:
    return node.mil.transpose(x=node.x, perm=node.attribute("perm") or list(reversed(range(len(node.x.shape)))))


def _joined(node: Node) -> Value:
    values = [node.mil.const(val=each) if isinstance(each, np.ndarray) else each for each in node.inputs]
    return values[0] if len(values) == 1 else node.mil.concat(values=values, axis=node.attribute("axis"))


def _split(node: Node) -> Value:
    axis = node.attribute("axis", 0)
    sizes = node.numbers("split", 1)
    if sizes is None:
        length = fixed_shape(node, node.x)[axis]
        size = -(-length // node.output_count)
        sizes = [min(size, length - size * index) for index in range(node.output_count)]
    if len(sizes) == 1:
        return node.x
    return tuple(node.mil.split(x=node.x, split_sizes=sizes, axis=axis))


def _cut(node: Node) -> Value:
    starts, ends = node.numbers("starts", 1) or [], node.numbers("ends", 2) or []
    axes = node.numbers("axes", 3) or list(range(len(starts)))
    steps = node.numbers("steps", 4) or [1] * len(starts)
    shape = shape_of(node.x)
    begin, end, stride = [0] * len(shape), [axis or 0 for axis in shape], [1] * len(shape)
    is_open = [axis is None for axis in shape]
    for start, stop, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis %= len(shape)  # noqa: PLW2901 - counted from the end
        length = shape[axis]
        if length is None:
            raise node.refusal("it cuts an axis whose size depends on what is in the picture")
        begin[axis], end[axis], stride[axis] = slice(start, stop, step).indices(length)
        is_open[axis] = end[axis] < 0  # backwards to the first: there is no number for the end
    return node.mil.slice_by_index(x=node.x, begin=begin, end=end, stride=stride, end_mask=is_open)


def _taken(node: Node) -> Value:
    axis = node.attribute("axis", 0) % len(node.x.shape)
    return node.mil.gather(x=node.x, indices=_from_start(node, axis), axis=axis)


def _taken_along(node: Node) -> Value:
    axis = node.attribute("axis", 0) % len(node.x.shape)
    return node.mil.gather_along_axis(x=node.x, indices=_from_start(node, axis), axis=axis)


def _from_start(node: Node, axis: int) -> Value:
    """Indices that are known now are counted from the start, as newer Core ML demands."""
    indices, length = node.inputs[1], shape_of(node.x)[axis]
    if isinstance(indices, np.ndarray) and length is not None:
        return np.where(indices < 0, indices + length, indices).astype(np.int32)
    return indices


def _taken_at(node: Node) -> Value:
    if node.attribute("batch_dims", 0):
        raise node.refusal("batch_dims other than 0 are not supported")
    return node.mil.gather_nd(x=node.x, indices=node.inputs[1])


def _best(node: Node) -> Value:
    count = int(node.numbers("k", 1)[0])  # type: ignore[index]  # ONNX demands it
    is_largest = bool(node.attribute("largest", 1))
    return tuple(node.mil.topk(x=node.x, k=count, axis=node.attribute("axis", -1), ascending=not is_largest))


def _expanded(node: Node) -> Value:
    own = fixed_shape(node, node.x)
    wanted = np.broadcast_shapes(own, tuple(int(size) for size in node.constant(1, "shape")))
    padded = (1,) * (len(wanted) - len(own)) + own
    value = node.x if padded == own else node.mil.reshape(x=node.x, shape=padded)
    return _repeated(node, value, [size // before for size, before in zip(wanted, padded, strict=True)])


def _tiled(node: Node) -> Value:
    return _repeated(node, node.x, [int(each) for each in node.constant(1, "repeats")])


def _repeated(node: Node, value: Value, times: list[int]) -> Value:
    return value if set(times) <= {1} else node.mil.tile(x=value, reps=times)


def _padded(node: Node) -> Value:
    pads = node.numbers("pads", 1) or []
    mode = bytes(node.attribute("mode", b"constant")).decode()
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
    if mode not in modes or min(pads) < 0 or node.input(3) is not None:
        raise node.refusal(f"padding of the kind {mode} {pads} is not in Core ML")
    half = len(pads) // 2
    around = [number for axis in range(half) for number in (pads[axis], pads[half + axis])]
    first = next((axis for axis in range(half) if any(around[2 * axis : 2 * axis + 2])), None)
    if first is None:
        return node.x
    filling = node.attribute("value", node.input(2))
    number = 0.0 if filling is None else float(np.ravel(filling)[0])
    if not is_float(node.x):
        raise node.refusal("Core ML pads floats only")
    return node.mil.pad(x=node.x, pad=around[2 * first :], mode=modes[mode], constant_val=np.float32(number))


def _shape(node: Node) -> Value:
    return np.array(fixed_shape(node, node.x), np.int32)


def _depth_to_space(node: Node) -> Value:
    size = node.attribute("blocksize")
    if bytes(node.attribute("mode", b"DCR")) == b"CRD":
        return node.mil.pixel_shuffle(x=node.x, upscale_factor=size)
    return node.mil.depth_to_space(x=node.x, block_size=size)


def _space_to_depth(node: Node) -> Value:
    return node.mil.space_to_depth(x=node.x, block_size=node.attribute("blocksize"))


def _constant(node: Node) -> Any:  # noqa: ANN401 - an array
    return node.attribute("value")


RULES: dict[str, Rule] = {
    "Concat": _joined,
    "Constant": _constant,
    "DepthToSpace": _depth_to_space,
    "Expand": _expanded,
    "Flatten": _flattened,
    "Gather": _taken,
    "GatherElements": _taken_along,
    "GatherND": _taken_at,
    "Pad": _padded,
    "Reshape": _reshaped,
    "Shape": _shape,
    "Slice": _cut,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeezed,
    "Tile": _tiled,
    "TopK": _best,
    "Transpose": _transposed,
    "Unsqueeze": _unsqueezed,
}
