"""What may come in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trackers import ByteTracker, ByteTrackSettings, Detections

GOOD = [10.0, 10.0, 50.0, 90.0]
NO_BOXES = {
    "not a number": [math.nan, 10.0, 50.0, 90.0],
    "endless": [10.0, 10.0, math.inf, 90.0],
    "endless both ways": [-math.inf, 10.0, math.inf, 90.0],
    "without width": [10.0, 10.0, 10.0, 90.0],
    "without height": [10.0, 90.0, 50.0, 90.0],
    "left and right swapped": [50.0, 10.0, 10.0, 90.0],
    "top and bottom swapped": [10.0, 90.0, 50.0, 10.0],
    "a point": [0.0, 0.0, 0.0, 0.0],
    "thinner than anything": [10.0, 10.0, 10.0 + 1e-12, 90.0],
    "beyond any picture": [10.0, 10.0, 1e200, 90.0],
}


def detections(boxes: list[list[float]], scores: list[float] | None = None) -> Detections:
    return Detections(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array([0.9] * len(boxes) if scores is None else scores),
        np.zeros(len(boxes), np.int32),
    )


@pytest.mark.parametrize("settings", [ByteTrackSettings(), ByteTrackSettings.reference()], ids=["default", "reference"])
@pytest.mark.parametrize("bad", NO_BOXES.values(), ids=NO_BOXES.keys())
def test_what_is_no_box_stays_out_and_is_counted(bad: list[float], settings: ByteTrackSettings) -> None:
    """The good box beside it is tracked as if it were alone."""
    tracker = ByteTracker(settings)
    for frame in range(3):
        tracks = tracker.update(detections([bad, GOOD, bad]), frame / 30)

    assert tracks.track_ids.tolist() == [1]
    np.testing.assert_allclose(tracks.boxes, [GOOD])
    assert tracker.refused == 6


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_none_stays_out(score: float) -> None:
    """A box without a usable score is no detection."""
    tracker = ByteTracker(ByteTrackSettings())

    assert len(tracker.update(detections([GOOD], [score]), 0.0)) == 0
    assert tracker.refused == 1


def test_boxes_beyond_the_picture_come_in() -> None:
    """Nothing is clipped: a person half outside is a whole person."""
    outside = [-500.0, -20.0, 30.0, 3000.0]

    np.testing.assert_allclose(ByteTracker(ByteTrackSettings()).update(detections([outside]), 0.0).boxes, [outside])


def test_nothing_of_the_callers_is_changed_or_kept() -> None:
    """Read-only and strided arrays will do, and what the caller does to them afterwards does not matter."""
    columns = np.array([[*GOOD, 0.9, 0.0]] * 2, np.float32)
    columns.flags.writeable = False
    writeable = columns.copy()
    tracker, expected = ByteTracker(ByteTrackSettings()), ByteTracker(ByteTrackSettings())
    tracker.update(Detections(columns[:1, :4], columns[:1, 4], columns[:1, 5].astype(np.int32)), 0.0)
    given = Detections(writeable[:1, :4], writeable[:1, 4], writeable[:1, 5].astype(np.int32))
    expected.update(given, 0.0)
    np.testing.assert_array_equal(writeable, columns)
    writeable[:] = 7.0

    after = [each.update(detections([GOOD]), 0.1).boxes for each in (tracker, expected)]

    np.testing.assert_array_equal(after[0], after[1])
