"""What an engine finds, box for box against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from agent.models.evaluate.parity import compare_found
from trackers import Detections

ROWS = [(10, 10, 110, 110, 0.9, 0), (200, 50, 260, 170, 0.5, 0), (300, 40, 330, 60, 0.2, 2)]


def found(rows: list[tuple[float, ...]]) -> Detections:
    """Rows of x1 y1 x2 y2, score, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


def test_the_same_is_the_same() -> None:
    """Every box matched, nothing off; weak boxes that only one has do not matter."""
    parity = compare_found({1: found(ROWS)}, {1: found([*ROWS[::-1], (1, 1, 9, 9, 0.05, 0)])}, "fp32")

    assert (parity.boxes, parity.matched, parity.missing, parity.extra) == (3, 3, 0, 0)
    assert (parity.worst_score, parity.worst_box_px, parity.worst_overlap) == (0.0, 0.0, 1.0)
    assert parity.is_within
    assert parity.pictures_apart == ()


def test_missing_and_extra_boxes_are_counted() -> None:
    """One gone, one of another class, one more: by picture."""
    other_class = (*ROWS[1][:5], 1)
    given = {1: found(ROWS), 2: found([ROWS[0], other_class, (400, 0, 440, 40, 0.6, 0)])}

    parity = compare_found({1: found(ROWS), 2: found(ROWS)}, given, "fp32")

    assert (parity.boxes, parity.matched, parity.missing, parity.extra) == (6, 4, 2, 2)
    assert parity.pictures_apart == (2,)
    assert not parity.is_within
    assert parity.told().startswith("not the same: 4 of 6 boxes matched, 2 missing, 2 extra")


def test_the_greatest_differences_are_told() -> None:
    """Of scores and of edges, the worst over all boxes, in pixels of the picture."""
    moved = [(10, 10, 110.5, 110, 0.894, 0), (200, 50.25, 260, 170, 0.5, 0), ROWS[2]]

    parity = compare_found({1: found(ROWS)}, {1: found(moved)}, "fp32")

    assert parity.worst_score == pytest.approx(0.006, abs=1e-5)
    assert parity.worst_box_px == pytest.approx(0.5)
    assert parity.worst_overlap == pytest.approx(100 / 100.5, abs=1e-5)
    assert parity.is_within


@pytest.mark.parametrize(("precision", "is_within"), [("fp32", False), ("fp16", False), ("int8", True)])
def test_precision_decides_what_is_the_same(precision: str, *, is_within: bool) -> None:
    """A score off by a tenth is another box in float, and usual in eight bits."""
    weaker = [(*row[:4], row[4] - 0.1, row[5]) for row in ROWS[:1]]

    assert compare_found({1: found(ROWS[:1])}, {1: found(weaker)}, precision).is_within is is_within
