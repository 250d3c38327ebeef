"""The cells that grid detectors look from, and whether a table of boxes is raw or already decoded."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

STRIDES = (8, 16, 32)
# Of the sizes sold as P6, P2 and tiny.
OTHER_STRIDES = ((8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
# A detector looks no further than a few cells around.
NEAR = 4.0


class Head(Enum):
    """What the first four columns of a table hold."""

    RAW = "offsets from each cell"
    DECODED = "boxes in pixels"
    FRACTIONS = "boxes as fractions of the picture"
    UNCLEAR = "neither offsets nor boxes, clearly"


def cell_count(width_px: int, height_px: int, strides: tuple[int, ...] = STRIDES) -> int:
    """How many cells all strides have together."""
    return sum(-(-width_px // stride) * -(-height_px // stride) for stride in strides)


def known_cell_counts(width_px: int, height_px: int) -> set[int]:
    """Cell counts of every set of strides in use."""
    return {cell_count(width_px, height_px, strides) for strides in (STRIDES, *OTHER_STRIDES)}


def cells(width_px: int, height_px: int) -> tuple[Float32Array, Float32Array]:
    """Column and row of every cell, float32 (cells, 2), and its stride, float32 (cells, 1); finest stride first."""
    places, strides = [], []
    for stride in STRIDES:
        columns, rows = -(-width_px // stride), -(-height_px // stride)
        y, x = np.mgrid[:rows, :columns]
        places.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full((rows * columns, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(strides).astype(np.float32)


def head_kind(table: Float32Array, width_px: int, height_px: int) -> Head:
    """What the first columns of a table with one row a cell hold, told from the values for a plain picture.

    Decoded centres lie near their cells, so measured from there they are small; raw offsets are small as they stand.
    `table` is (cells, at least 4); the size is that of the picture that gave it.
    """
    place, stride = cells(width_px, height_px)
    values, centres = table[:, :2], place + 0.5
    raw = _typical(values)
    if _typical(values / stride - centres) < min(NEAR, raw / 3):
        return Head.DECODED
    in_cells = np.array([width_px, height_px], np.float32) / stride
    # Of a small picture everything is near: fractions must also follow their cells, which one value for all does not.
    unmoved = _typical(np.median(values, axis=0) * in_cells - centres)
    if _typical(values * in_cells - centres) < min(NEAR, unmoved / 3):
        return Head.FRACTIONS
    return Head.RAW if raw < NEAR else Head.UNCLEAR


def _typical(distances: Float32Array) -> float:
    return float(np.median(np.abs(distances)))
