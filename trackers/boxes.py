"""Geometry of many boxes at once, coordinate by coordinate: arrays are (4, N), so that every operation runs along N."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

# Up to so many pairs, comparing everything with everything costs less than sorting first (measured).
DENSE_PAIRS = 4_000


class Overlaps(NamedTuple):
    """The pairs of boxes that share some area.

    Attributes:
        rows: (K,) index into the first set.
        columns: (K,) index into the second set.
        iou: (K,) float64, intersection over union, above 0.
    """

    rows: IndexArray
    columns: IndexArray
    iou: Float64Array


def overlaps(first: Float64Array, second: Float64Array, inclusive_px: float = 0.0) -> Overlaps:
    """Every overlapping pair of two sets of boxes, without touching the pairs that are far apart.

    Args:
        first: (4, M) float64; x1 y1 x2 y2.
        second: (4, N) float64; x1 y1 x2 y2.
        inclusive_px: added to every width and height; 1 when boxes are counted in whole pixels, both ends in.

    Returns:
        The pairs, in no promised order.
    """
    wider = second.copy()
    wider[2:] += inclusive_px
    rows, columns = _touching(first, wider, inclusive_px)
    a, b = first[:, rows], second[:, columns]
    shared = np.minimum(a[2:], b[2:])
    shared -= np.maximum(a[:2], b[:2])
    shared += inclusive_px
    intersection = shared[0] * shared[1]
    union = _areas(a, inclusive_px) + _areas(b, inclusive_px)
    union -= intersection
    return Overlaps(rows, columns, intersection / union)


def to_centred(corners: Float64Array) -> Float64Array:
    """(4, N) x1 y1 x2 y2 as (4, N) centre x, centre y, aspect (width / height), height."""
    size = corners[2:] - corners[:2]
    centred = np.empty_like(corners)
    centred[:2] = corners[:2] + size * 0.5
    centred[2] = size[0] / size[1]
    centred[3] = size[1]
    return centred


def to_corners(centred: Float64Array) -> Float64Array:
    """(4, N) centre x, centre y, aspect, height as (4, N) x1 y1 x2 y2."""
    size = np.empty((2, centred.shape[1]))
    np.multiply(centred[2], centred[3], out=size[0])
    size[1] = centred[3]
    corners = np.empty((4, centred.shape[1]))
    np.subtract(centred[:2], size * 0.5, out=corners[:2])
    np.add(corners[:2], size, out=corners[2:])
    return corners


def _areas(boxes: Float64Array, inclusive_px: float) -> Float64Array:
    size = boxes[2:] - boxes[:2]
    size += inclusive_px
    area: Float64Array = size[0] * size[1]
    return area


def _touching(first: Float64Array, second: Float64Array, inclusive_px: float) -> tuple[IndexArray, IndexArray]:
    """Pairs whose extents meet in x and in y; `second` has `inclusive_px` added to its far edges already."""
    first_end_x, first_end_y = first[2] + inclusive_px, first[3] + inclusive_px
    if first.shape[1] * second.shape[1] <= DENSE_PAIRS:
        meets = first[0][:, None] < second[2]
        meets &= first[1][:, None] < second[3]
        meets &= first_end_x[:, None] > second[0]
        meets &= first_end_y[:, None] > second[1]
        return _pair(meets.nonzero())
    rows, columns = _meeting_in_x(first[0], first_end_x, second)
    meets = first[1][rows] < second[3][columns]
    meets &= first_end_y[rows] > second[1][columns]
    meets &= first[0][rows] < second[2][columns]
    return rows[meets], columns[meets]


def _meeting_in_x(start: Float64Array, end: Float64Array, second: Float64Array) -> tuple[IndexArray, IndexArray]:
    """Pairs that may meet in x: `second` is swept from left to right, each of the first set takes a stretch of it."""
    order = np.argsort(second[0])
    # The farthest right edge so far only grows: what lies before its first reach beyond `start` cannot meet.
    reach = np.maximum.accumulate(second[2][order])
    begins = np.searchsorted(reach, start, side="right")
    counts = np.searchsorted(second[0][order], end, side="left") - begins
    np.maximum(counts, 0, out=counts)
    rows = np.repeat(np.arange(len(start)), counts)
    steps = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[begins[rows] + steps]


def _pair(indices: tuple[npt.NDArray[Any], ...]) -> tuple[IndexArray, IndexArray]:
    rows, columns = indices
    return rows, columns
