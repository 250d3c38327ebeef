"""Class-wise non-maximum suppression in NumPy: exact, sorted by score, and bounded in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.floating[Any]]

# Candidates are compared with each other in blocks of this many, best first: memory stays at a few megabytes, and
# most frames are one block.
BLOCK = 512
# BETTER[i, j]: of a block in order of score, i comes before j.
BETTER = np.triu(np.ones((BLOCK, BLOCK), np.bool_), k=1)


def suppress(
    boxes: Floats, scores: Floats, class_ids: npt.NDArray[np.integer[Any]], iou_threshold: float, max_detections: int
) -> Indices:
    """Rows to keep: of boxes of one class that overlap by more than the threshold, only the best.

    This is the usual greedy suppression, row for row: a box is dropped when a better one that is itself kept overlaps
    it. Of equal scores the earlier row counts as the better one.

    Args:
        boxes: (N, 4) x1 y1 x2 y2.
        scores: (N,).
        class_ids: (N,); boxes of different classes never suppress each other.
        iou_threshold: 0 to 1; overlap of exactly this is kept.
        max_detections: at most so many rows, the best.

    Returns:
        (M,) indices into the rows given, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    pile = _Pile(boxes[order], class_ids[order], iou_threshold)
    kept = np.zeros(0, np.intp)
    for start in range(0, len(order), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(order)))
        if len(kept):
            block = block[~pile.overlaps(kept, block).any(axis=0)]
        kept = np.concatenate([kept, block[_greedy(pile.overlaps(block, block))]])
        if len(kept) >= max_detections:
            break
    return order[kept[:max_detections]]


def _greedy(overlaps: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which rows of one block survive, `overlaps[i, j]` saying that i and j, best first, cannot both stay.

    A row stays when no better row that stays overlaps it. Repeating that from "all stay" settles row k after at most
    k rounds and changes nothing afterwards; chains of overlaps are short, so a few rounds do.
    """
    better = overlaps & BETTER[: len(overlaps), : len(overlaps)]
    stays = np.logical_not(better.any(axis=0))
    while True:
        settled = np.logical_not(better[stays].any(axis=0))
        if np.array_equal(settled, stays):
            return settled
        stays = settled


class _Pile:
    """Boxes, best first, that can be asked which of them overlap."""

    def __init__(self, boxes: Floats, class_ids: npt.NDArray[np.integer[Any]], iou_threshold: float) -> None:
        self._left, self._top, self._right, self._bottom = np.ascontiguousarray(boxes.T)
        areas = (self._right - self._left) * (self._bottom - self._top)
        # shared / (a + b - shared) > t is shared > (a + b) * t / (1 + t): without a division, boxes without area
        # overlap nothing.
        self._claims = areas * areas.dtype.type(iou_threshold / (1.0 + iou_threshold))
        self._class_ids = class_ids

    def overlaps(self, first: Indices, second: Indices) -> npt.NDArray[np.bool_]:
        """(len(first), len(second)): same class and IoU above the threshold."""
        a, b = first[:, np.newaxis], second
        shared = np.minimum(self._right[a], self._right[b])
        shared -= np.maximum(self._left[a], self._left[b])
        height = np.minimum(self._bottom[a], self._bottom[b])
        height -= np.maximum(self._top[a], self._top[b])
        np.maximum(shared, 0.0, out=shared)
        np.maximum(height, 0.0, out=height)
        shared *= height
        overlaps: npt.NDArray[np.bool_] = shared > self._claims[a] + self._claims[b]
        overlaps &= self._class_ids[a] == self._class_ids[b]
        return overlaps
