"""Of overlapping boxes of a class only the best stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agent.detect.suppression import BLOCK, suppress

Array = npt.NDArray[Any]


def greedy(boxes: Array, scores: Array, class_ids: Array, iou_threshold: float) -> list[int]:
    """The plain way, box by box, to compare with."""
    kept: list[int] = []
    for row in sorted(range(len(boxes)), key=lambda row: (-scores[row], row)):
        same = [other for other in kept if class_ids[other] == class_ids[row]]
        if all(iou(boxes[row], boxes[other]) <= iou_threshold for other in same):
            kept.append(row)
    return kept


def iou(a: Array, b: Array) -> float:
    """Overlap of two boxes, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / union) if union else 0.0


def crowd(count: int, *, classes: int, seed: int) -> tuple[Array, Array, Array]:
    """Many overlapping boxes, with equal scores among them."""
    random = np.random.default_rng(seed)
    corner, size = random.uniform(0, 150, (count, 2)), random.uniform(20, 60, (count, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores = random.integers(0, 50, count).astype(np.float32) / 50
    return boxes, scores, random.integers(0, classes, count)


@pytest.mark.parametrize("iou_threshold", [0.0, 0.3, 0.65, 1.0])
@pytest.mark.parametrize(("count", "classes"), [(0, 1), (1, 1), (40, 1), (400, 3), (BLOCK + 100, 2)])
def test_it_is_the_greedy_one(count: int, classes: int, iou_threshold: float) -> None:
    """Row for row the same as going through the boxes one by one, with ties and many classes."""
    boxes, scores, class_ids = crowd(count, classes=classes, seed=count)

    kept = suppress(boxes, scores, class_ids, iou_threshold, 10_000)

    assert kept.tolist() == greedy(boxes, scores, class_ids, iou_threshold)


def test_classes_do_not_suppress_each_other() -> None:
    """The same box may be of two classes."""
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)

    kept = suppress(boxes, np.array([0.5, 0.9, 0.7]), np.array([1, 0, 1]), 0.5, 10)

    assert kept.tolist() == [1, 2]


def test_a_suppressed_box_suppresses_nothing() -> None:
    """Of a chain of three, the last stays because the middle one went."""
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)

    kept = suppress(boxes, np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64), 0.4, 10)

    assert kept.tolist() == [0, 2]


def test_boxes_without_area_overlap_nothing() -> None:
    """Two equal points both stay."""
    boxes = np.array([[5, 5, 5, 5]] * 2, np.float32)

    assert suppress(boxes, np.array([0.9, 0.8]), np.zeros(2, np.int64), 0.0, 10).tolist() == [0, 1]


def test_only_so_many_stay() -> None:
    """The best of those that stay, over all classes and blocks."""
    boxes, scores, class_ids = crowd(1000, classes=5, seed=7)

    kept = suppress(boxes, scores, class_ids, 0.65, 30)

    assert kept.tolist() == greedy(boxes, scores, class_ids, 0.65)[:30]
