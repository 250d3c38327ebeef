"""What the layers of a Core ML program compute over pictures, in NumPy: see `coreml_kernels`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from devices.models.coreml_kernels import Array, Given, Kernel

_NO_BOX = -1


def _around(given: Given, axes: int) -> list[tuple[int, int]]:
    """Padding before and after every axis of the picture."""
    kind = str(given["pad_type"])
    if kind not in ("custom", "valid"):
        raise NotImplementedError(f"padding of the kind {kind}")
    flat = [0] * 2 * axes if kind == "valid" else [int(each) for each in given["pad"]]
    return list(zip(flat[::2], flat[1::2], strict=True))


def _views(
    x: Array, kernel: Sequence[int], strides: Sequence[int], gaps: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """For every place of a kernel the values it meets, (batch, channels, *out)."""
    for place in itertools.product(*map(range, kernel)):
        parts = [
            slice(at * gap, at * gap + (size - 1) * stride + 1, stride)
            for at, gap, size, stride in zip(place, gaps, out, strides, strict=True)
        ]
        yield place, x[(slice(None), slice(None), *parts)]


def _convolution(given: Given) -> Array:
    x, weight, groups = given["x"], given["weight"], int(given["groups"])
    kernel, gaps = weight.shape[2:], [int(each) for each in given["dilations"]]
    strides = [int(each) for each in given["strides"]]
    reach = [(width - 1) * gap + 1 for width, gap in zip(kernel, gaps, strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *_around(given, len(reach))])
    out = [(size - width) // stride + 1 for size, width, stride in zip(x.shape[2:], reach, strides, strict=True)]
    result = np.zeros((x.shape[0], weight.shape[0], math.prod(out)), np.float32)
    for place, view in _views(x, kernel, strides, gaps, out):
        weights = weight[(slice(None), slice(None), *place)]  # (outputs, inputs of a group)
        result += _product(weights, view.reshape(*x.shape[:2], -1), groups)
    result = result.reshape(*result.shape[:2], *out)
    return result if given.get("bias") is None else result + given["bias"].reshape(-1, *(1,) * len(out))


def _product(weights: Array, values: Array, groups: int) -> Array:
    """Of weights (outputs, inputs of a group) and values (batch, inputs, n): (batch, outputs, n)."""
    if weights.shape[1] == 1 and weights.shape[0] == groups:
        return values * weights  # every channel by itself
    grouped = values.reshape(values.shape[0], groups, -1, values.shape[-1])
    product = weights.reshape(groups, -1, weights.shape[1]) @ grouped
    return np.asarray(product.reshape(values.shape[0], -1, values.shape[-1]))


def _turned_convolution(given: Given) -> Array:
    x, weight, groups = given["x"], given["weight"], int(given["groups"])
    kernel, strides = weight.shape[2:], [int(each) for each in given["strides"]]
    gaps, sizes = [int(each) for each in given["dilations"]], x.shape[2:]
    full = [(size - 1) * stride + (width - 1) * gap + 1
            for size, stride, width, gap in zip(sizes, strides, kernel, gaps, strict=True)]  # fmt: skip
    result = np.zeros((x.shape[0], weight.shape[1] * groups, *full), np.float32)
    grouped = weight.reshape(groups, -1, *weight.shape[1:])  # (groups, inputs, outputs, *kernel)
    values = x.reshape(*x.shape[:2], -1)
    for place, view in _views(result, kernel, strides, gaps, sizes):
        turned = grouped[(..., *place)].transpose(0, 2, 1).reshape(-1, grouped.shape[1])
        np.add(view, _product(turned, values, groups).reshape(view.shape), out=view)
    ends = zip(_around(given, len(kernel)), full, strict=True)
    cut = [slice(before, size - after) for (before, after), size in ends]
    result = result[(slice(None), slice(None), *cut)]
    return result if given.get("bias") is None else result + given["bias"].reshape(-1, *(1,) * len(kernel))


def _pooling(*, is_mean: bool) -> Kernel:
    def kernel(given: Given) -> Array:
        x, sizes = given["x"], [int(each) for each in given["kernel_sizes"]]
        strides, ones = [int(each) for each in given["strides"]], [1] * len(sizes)
        around = _around(given, len(sizes))
        out = _pooled_size(given, x.shape[2:], around)
        more = _missing_at_end(
            out, strides, sizes, [size + sum(a) for size, a in zip(x.shape[2:], around, strict=True)]
        )
        ends = [(before, after + extra) for (before, after), extra in zip(around, more, strict=True)]
        padded = np.pad(x, [(0, 0), (0, 0), *ends], constant_values=0 if is_mean else -np.inf)
        views = [view for _, view in _views(padded, sizes, strides, ones, out)]
        if not is_mean:
            return np.maximum.reduce(views)
        counted = _counted(x, around, more, excludes_padding=bool(given["exclude_padding_from_average"]))
        return np.asarray(sum(views) / sum(view for _, view in _views(counted, sizes, strides, ones, out)))

    return kernel


def _missing_at_end(
    out: Sequence[int], strides: Sequence[int], kernel: Sequence[int], there: Sequence[int]
) -> list[int]:
    """What the last windows reach beyond the padded picture."""
    rows = zip(out, strides, kernel, there, strict=True)
    return [max(0, (count - 1) * stride + width - size) for count, stride, width, size in rows]


def _counted(x: Array, around: Sequence[tuple[int, int]], more: Sequence[int], *, excludes_padding: bool) -> Array:
    """One where a value counts in an average, else nought; in the padded picture."""
    ones = np.ones((1, 1, *x.shape[2:]), np.float32)
    padded = np.pad(ones, [(0, 0), (0, 0), *around], constant_values=0 if excludes_padding else 1)
    return np.pad(padded, [(0, 0), (0, 0), *((0, extra) for extra in more)])


def _pooled_size(given: Given, sizes: Sequence[int], around: Sequence[tuple[int, int]]) -> list[int]:
    """With `ceil_mode`, a last window counts that begins within the picture or before it."""
    out = []
    for size, width, stride, (before, after) in zip(
        sizes, given["kernel_sizes"], given["strides"], around, strict=True
    ):
        room = size + before + after - int(width)
        count = (-(-room // int(stride)) if given["ceil_mode"] else room // int(stride)) + 1
        is_outside = given["ceil_mode"] and (count - 1) * int(stride) >= size + before
        out.append(count - 1 if is_outside else count)
    return out


def _nearest(given: Given) -> Array:
    times = int(given["scale_factor_height"]), int(given["scale_factor_width"])
    return np.repeat(np.repeat(given["x"], times[0], axis=-2), times[1], axis=-1)


def _resized(given: Given) -> Array:
    size = int(given["target_size_height"]), int(given["target_size_width"])
    return _interpolated(given["x"], size, str(given["sampling_mode"]))


def _enlarged(given: Given) -> Array:
    x, is_aligned = given["x"], bool(given["align_corners"])
    scales = (given["scale_factor_height"], given["scale_factor_width"])
    size = [math.floor(length * float(scale)) for length, scale in zip(x.shape[-2:], scales, strict=True)]
    is_half = given.get("half_pixel_centers", not is_aligned)
    mode = "STRICT_ALIGN_CORNERS" if is_aligned else "UNALIGN_CORNERS" if is_half else "DEFAULT"
    return _interpolated(x, size, mode)


def _interpolated(x: Array, size: Sequence[int], mode: str) -> Array:
    for axis, wanted in zip((-2, -1), size, strict=True):
        at = np.clip(_grid(mode, x.shape[axis], wanted), 0, x.shape[axis] - 1)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        part = (at - low).astype(np.float32)
        part = part[:, None] if axis == -2 else part
        x = np.take(x, low, axis=axis) * (1 - part) + np.take(x, high, axis=axis) * part
    return x


def _grid(mode: str, size: int, wanted: int) -> Array:
    steps = np.arange(wanted, dtype=np.float64)
    if mode == "UNALIGN_CORNERS":
        return (steps + 0.5) * size / wanted - 0.5
    if mode == "STRICT_ALIGN_CORNERS":
        return steps * (size - 1) / max(1, wanted - 1)
    return steps * size / wanted


def _sampled(given: Given) -> Array:
    x, grid = given["x"], given["coordinates"]
    height, width = x.shape[2:]
    columns, rows = (_pixels(grid[..., axis], size, given) for axis, size in ((0, width), (1, height)))
    if str(given["sampling_mode"]) == "nearest":
        return _picked(x, np.round(rows), np.round(columns))
    top, left = np.floor(rows), np.floor(columns)
    down, right = (rows - top)[:, None], (columns - left)[:, None]
    upper = _picked(x, top, left) * (1 - right) + _picked(x, top, left + 1) * right
    lower = _picked(x, top + 1, left) * (1 - right) + _picked(x, top + 1, left + 1) * right
    return np.asarray(upper * (1 - down) + lower * down)


def _pixels(grid: Array, size: int, given: Given) -> Array:
    at = (grid + 1) / 2 * (size - 1) if given["align_corners"] else ((grid + 1) * size - 1) / 2
    return np.clip(at, 0, size - 1) if str(given["padding_mode"]) == "border" else at


def _picked(x: Array, rows: Array, columns: Array) -> Array:
    """Values (batch, channels, *places) at whole places; nought outside."""
    height, width = x.shape[2:]
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    row, column = np.clip(rows, 0, height - 1).astype(int), np.clip(columns, 0, width - 1).astype(int)
    found = np.stack([picture[:, r, c] for picture, r, c in zip(x, row, column, strict=True)])
    return np.asarray(found * is_inside[:, None])


def _suppressed(given: Given) -> tuple[Array, ...]:
    """Before iOS 17 boxes come as rows, the least score along with them, and are counted; since then as columns."""
    is_old = "score_threshold" in given
    boxes, scores = (given[name] if is_old else given[name].transpose(0, 2, 1) for name in ("boxes", "scores"))
    most, least = int(given["max_boxes"]), float(given["score_threshold"]) if is_old else -np.inf
    chosen = np.full((len(boxes), most), _NO_BOX, np.int32)
    for row, (each, own) in enumerate(zip(boxes, scores.max(axis=2), strict=True)):
        kept = _greedy(each, own, float(given["iou_threshold"]), least, most)
        chosen[row, : len(kept)] = kept
    is_there = (chosen != _NO_BOX)[..., None]
    rows = np.maximum(chosen, 0)[..., None]
    found = [np.take_along_axis(each, rows, axis=1) * is_there for each in (boxes, scores)]
    if is_old:
        return *found, chosen, is_there.sum(axis=(1, 2)).astype(np.int32)
    return *(each.transpose(0, 2, 1) for each in found), chosen


def _greedy(boxes: Array, scores: Array, overlap: float, least: float, most: int) -> list[int]:
    half = boxes[:, 2:] / 2
    low, high, areas = boxes[:, :2] - half, boxes[:, :2] + half, boxes[:, 2] * boxes[:, 3]
    left = [index for index in np.argsort(-scores, kind="stable") if scores[index] >= least]
    order = np.array(left, np.int64)
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])
        shared = np.maximum(sides, 0).prod(axis=1)
        together = areas[best] + areas[order] - shared
        order = order[shared <= overlap * together]
    return kept


KERNELS: dict[str, Kernel] = {
    "avg_pool": _pooling(is_mean=True),
    "conv": _convolution,
    "conv_transpose": _turned_convolution,
    "max_pool": _pooling(is_mean=False),
    "non_maximum_suppression": _suppressed,
    "resample": _sampled,
    "resize_bilinear": _resized,
    "upsample_bilinear": _enlarged,
    "upsample_nearest_neighbor": _nearest,
}
