"""Of two tracks on one object the younger goes."""

from __future__ import annotations

import numpy as np
import pytest

from trackers import ByteTrackSettings
from trackers.boxes import Float64Array
from trackers.bytetrack.arrays.lifecycle import doubles
from trackers.bytetrack.arrays.table import BORN_AT, CLASS_ID, LOST, POSITION, ROWS, SEEN_AT, STAGE, TENTATIVE, TRACKED

SETTINGS = ByteTrackSettings()


def table_of(*tracks: tuple[float, float, float], shift: float = 0.0) -> Float64Array:
    """Tracks at nearly one place, each by its stage, birth and last detection; `shift` apart in box widths."""
    table = np.zeros((ROWS, len(tracks)))
    table[POSITION] = np.array([100.0, 100.0, 1.0, 100.0])[:, None]
    table[POSITION][0] += 100.0 * shift * np.arange(len(tracks))
    table[[STAGE, BORN_AT, SEEN_AT]] = np.array(tracks).T
    return table


@pytest.mark.parametrize(
    ("followed", "lost", "expected"),
    [
        ((TRACKED, 0.0, 9.0), (LOST, 2.0, 8.0), [False, True]),
        ((TRACKED, 7.0, 9.0), (LOST, 2.0, 8.0), [True, False]),
        ((TRACKED, 1.0, 9.0), (LOST, 0.0, 8.0), [True, False]),
        ((TENTATIVE, 9.0, 9.0), (LOST, 2.0, 8.0), [True, False]),
    ],
    ids=["the lost one", "the followed one", "of equal ones the followed one", "a newcomer"],
)
def test_the_one_with_the_shorter_life_goes(
    followed: tuple[float, float, float], lost: tuple[float, float, float], expected: list[bool]
) -> None:
    """Life lasts from birth to the last detection."""
    assert doubles(table_of(followed, lost), SETTINGS).tolist() == expected


@pytest.mark.parametrize("stage", [TRACKED, LOST])
def test_two_followed_or_two_lost_tracks_both_stay(stage: float) -> None:
    """Both have detections of their own, or neither is told."""
    assert not doubles(table_of((stage, 0.0, 9.0), (stage, 2.0, 9.0)), SETTINGS).any()


@pytest.mark.parametrize(("shift", "goes"), [(0.05, True), (0.1, False)])
def test_neighbours_stay(shift: float, *, goes: bool) -> None:
    """Only an overlap beyond the limit is one object."""
    assert doubles(table_of((TRACKED, 0.0, 9.0), (LOST, 2.0, 8.0), shift=shift), SETTINGS).any() == goes


def test_different_classes_stay() -> None:
    """A lost rider does not end with the motorcycle."""
    table = table_of((TRACKED, 0.0, 9.0), (LOST, 2.0, 8.0))
    table[CLASS_ID] = [0.0, 3.0]

    assert not doubles(table, SETTINGS).any()
