"""The tracker's own time."""

from __future__ import annotations

import math

import pytest

from trackers.bytetrack.timeline import Timeline


def breaks_of(times: list[float], patience_s: float = 1.0) -> list[bool]:
    timeline = Timeline(patience_s, frame_rate=None)
    return [timeline.advance(at_s).is_break for at_s in times]


def test_the_first_update_takes_no_time_whatever_the_clock_shows() -> None:
    """Where a clock begins is nobody's business."""
    assert Timeline(1.0, None).advance(1e6) == (0.0, False)


def test_time_that_jumps_back_counts_as_none_and_goes_on_from_there() -> None:
    """A clock set back by an hour stops nothing for an hour."""
    timeline = Timeline(1.0, frame_rate=None)

    elapsed = [timeline.advance(at_s).elapsed for at_s in (3600.0, 3600.1, 0.0, 0.0, 0.1)]

    assert elapsed == pytest.approx([0.0, 0.1, 0.0, 0.0, 0.1])
    assert timeline.now == pytest.approx(0.2)


def test_a_gap_beyond_patience_is_a_break() -> None:
    """An outage ends what was before it; a short stall does not."""
    assert breaks_of([0.0, 0.1, 1.0, 1.1, 61.1, 61.2]) == [False, False, False, False, True, False]


def test_a_slow_camera_has_no_breaks() -> None:
    """One frame in five seconds is a rhythm."""
    assert not any(breaks_of([0.0, 5.0, 10.0, 15.5, 20.0]))


def test_with_a_frame_rate_every_update_is_one_frame() -> None:
    """The times given are ignored, and patience is counted in frames."""
    timeline = Timeline(1.0, frame_rate=20.0)

    assert [timeline.advance(at_s) for at_s in (0.0, 1e9, math.nan)] == [(1.0, False)] * 3
    assert (timeline.now, timeline.patience) == (3.0, 20.0)


@pytest.mark.parametrize("at_s", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_is_refused(at_s: float) -> None:
    """Not a number, or no end."""
    with pytest.raises(ValueError, match="at_s: expected finite seconds"):
        Timeline(1.0, None).advance(at_s)
