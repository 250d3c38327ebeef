"""Points of a picture that can be found again in the next one, and that no detected object carries along."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from agent.stream.frame import GreyArray

PointArray = npt.NDArray[np.float32]

CELL_PX = 32
BLOCK_PX = 3
# Least eigenvalue of a cell's best corner, as OpenCV scales it; the noise of a dark camera (3 grey levels) stays below.
LEAST_CORNER = 4e-4
# Boxes are cut tight, and what surrounds an object moves with it: shadow, arms, motion blur.
MARGIN = 0.1


def background_points(grey: GreyArray, boxes: npt.NDArray[np.float64]) -> PointArray:
    """The best corner (Shi and Tomasi, "Good Features to Track", 1994) of every cell of 32 x 32 pixels that has one.

    One a cell: so their number is bounded by the size of the picture, and they lie all over it.

    Args:
        grey: uint8 (height, width).
        boxes: (N, 4) float64; x1 y1 x2 y2 of objects, in pixels of `grey`, not clipped. No point lies in them.

    Returns:
        (K, 2) float32 x y, pixel centres at whole numbers.
    """
    corners = np.asarray(cv2.cornerMinEigenVal(grey, BLOCK_PX))
    for x1, y1, x2, y2 in _grown(boxes, grey.shape).tolist():
        corners[y1:y2, x1:x2] = 0.0
    rows, columns = grey.shape[0] // CELL_PX, grey.shape[1] // CELL_PX
    whole = corners[: rows * CELL_PX, : columns * CELL_PX]
    cells = whole.reshape(rows, CELL_PX, columns, CELL_PX).swapaxes(1, 2).reshape(rows, columns, CELL_PX * CELL_PX)
    row, column = (cells.max(axis=2) >= LEAST_CORNER).nonzero()
    y, x = np.divmod(cells[row, column].argmax(axis=1), CELL_PX)
    return np.stack((column * CELL_PX + x, row * CELL_PX + y), axis=1).astype(np.float32)


def _grown(boxes: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """(N, 4) whole pixels from and to, a margin wider on every side and within the picture."""
    margin = MARGIN * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    grown = boxes + margin * np.array([-1.0, -1.0, 1.0, 1.0])
    limits = np.array([shape[1], shape[0]] * 2, dtype=np.float64)
    pixels: npt.NDArray[np.intp] = np.clip(grown + np.array([0.0, 0.0, 1.0, 1.0]), 0.0, limits).astype(np.intp)
    return pixels
