"""Overlaps and conversions of many boxes at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from trackers.boxes import DENSE_PAIRS, overlaps, to_centred, to_corners

Boxes = npt.NDArray[np.float64]


def random_boxes(count: int, seed: int, spread_px: float = 400.0) -> Boxes:
    random = np.random.default_rng(seed)
    corner = random.uniform(0.0, spread_px, (2, count))
    return np.concatenate((corner, corner + random.uniform(1.0, 60.0, (2, count))))


def iou_of(a: Boxes, b: Boxes, inclusive_px: float) -> float:
    """By the book, one pair at a time."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + inclusive_px
    height = min(a[3], b[3]) - max(a[1], b[1]) + inclusive_px
    if width <= 0.0 or height <= 0.0:
        return 0.0
    areas = sum((box[2] - box[0] + inclusive_px) * (box[3] - box[1] + inclusive_px) for box in (a, b))
    return float(width * height / (areas - width * height))


@pytest.mark.parametrize("inclusive_px", [0.0, 1.0])
@pytest.mark.parametrize(("first", "second"), [(0, 5), (5, 0), (1, 1), (30, 40), (80, 90)])
def test_overlaps_are_those_of_every_pair_by_the_book(first: int, second: int, inclusive_px: float) -> None:
    """Few boxes or many, the pairs and their IoU are those a double loop finds."""
    a, b = random_boxes(first, seed=1), random_boxes(second, seed=2)
    by_the_book = {
        (row, column): iou
        for row in range(first)
        for column in range(second)
        if (iou := iou_of(a[:, row], b[:, column], inclusive_px)) > 0.0
    }

    rows, columns, ious = overlaps(a, b, inclusive_px)

    assert dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), ious, strict=True)) == pytest.approx(by_the_book)


def test_the_sweep_is_tested() -> None:
    """The cases above lie on both sides of the border between the two ways of finding pairs."""
    assert 30 * 40 <= DENSE_PAIRS < 80 * 90


def test_one_very_wide_box_hides_nothing() -> None:
    """A box across the whole picture still meets every other one."""
    many = random_boxes(3 * DENSE_PAIRS, seed=3)
    wide = np.array([[-10.0], [-10.0], [500.0], [500.0]])

    _, columns, _ = overlaps(np.concatenate((wide, many[:, :1]), axis=1), many)

    assert set(range(many.shape[1])) <= set(columns.tolist())


def test_boxes_that_only_touch_share_nothing() -> None:
    """Sides and corners in common are no overlap."""
    left, right = np.array([[0.0], [0.0], [10.0], [10.0]]), np.array([[10.0], [0.0], [20.0], [10.0]])

    assert overlaps(left, right).iou.size == 0


def test_there_and_back_is_the_same_box() -> None:
    """Corners to centre, aspect and height, and back."""
    boxes = random_boxes(50, seed=4)

    np.testing.assert_allclose(to_corners(to_centred(boxes)), boxes, atol=1e-9)
