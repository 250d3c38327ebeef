"""Two engines compared by what they find."""

from __future__ import annotations

import numpy as np
import pytest

from agent.detect.agreement import TOLERANCES, compare_boxes
from trackers import Detections

ROWS = [(10, 10, 60, 110, 0.9, 0), (200, 50, 260, 170, 0.5, 0), (300, 40, 330, 60, 0.2, 2)]


def found(rows: list[tuple[float, ...]]) -> Detections:
    """Rows of x1 y1 x2 y2, score, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


def changed(row: int, **values: float) -> Detections:
    """The rows with one of them changed."""
    names = {"x1": 0, "x2": 2, "score": 4, "label": 5}
    table = [list(each) for each in ROWS]
    for name, value in values.items():
        table[row][names[name]] = value
    return found([tuple(each) for each in table])


@pytest.mark.parametrize(
    ("other", "precision", "is_within"),
    [
        (found(ROWS), "fp32", True),
        (found(ROWS[::-1]), "fp32", True),
        (changed(0, score=0.895), "fp32", True),
        (changed(0, score=0.85), "fp32", False),
        (changed(0, score=0.88), "fp16", True),
        (changed(0, x2=64), "fp32", False),
        (changed(0, x2=61), "fp16", True),
        (changed(0, x2=64), "int8", True),
        (changed(1, label=1), "fp16", False),
        (found(ROWS[:2]), "fp32", False),
        (found([*ROWS, (400, 400, 450, 450, 0.6, 1)]), "fp32", False),
        (found([*ROWS, (400, 400, 450, 450, 0.08, 1)]), "fp32", True),
        (found([]), "int8", False),
    ],
)
def test_boxes_classes_and_scores_count(other: Detections, precision: str, *, is_within: bool) -> None:
    """Moved boxes, other classes, other scores, missing and additional ones: by the tolerance of the precision."""
    difference = compare_boxes([(found(ROWS), other)], TOLERANCES[precision])

    assert difference is not None
    assert difference.is_within is is_within


def test_the_numbers_are_told() -> None:
    """How many boxes, how far off, and how many have no match."""
    difference = compare_boxes([(found(ROWS), changed(0, score=0.85))], TOLERANCES["fp32"])

    assert difference is not None
    assert difference.text == "3 boxes: overlap at least 1.000, scores within 0.0500, 2 of 6 without a match"


def test_nothing_found_by_either_says_nothing() -> None:
    """Where neither is sure of anything there is nothing to compare by boxes."""
    assert compare_boxes([(found([]), found([(1, 1, 5, 5, 0.06, 0)]))], TOLERANCES["fp32"]) is None
