from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from agent.stream.media_clock import MediaClock

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def times(clock: MediaClock, pts: list[float | None]) -> list[float]:
    return [round(clock.advance(one, 0.1).captured_monotonic_s, 6) for one in pts]


def test_anchor_plus_media_time() -> None:
    """The first frame is shown at the anchor, whatever its own time, the others after it."""
    clock = MediaClock(50.0, NOON)
    clock.begin_pass()

    assert times(clock, [7.0, 7.1, 7.3]) == [50.0, 50.1, 50.3]
    assert clock.advance(7.5, 0.1).captured_at == NOON + timedelta(seconds=0.5)


def test_time_runs_on_over_the_seam() -> None:
    """Each pass begins one frame after the end of the one before."""
    clock = MediaClock(0.0, NOON)
    clock.begin_pass()
    first = times(clock, [0.0, 0.1, 0.2])
    clock.begin_pass()

    assert first + times(clock, [0.0, 0.1, 0.2]) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_missing_and_falling_times_follow_the_frame_rate() -> None:
    """A clip without good times still rises, by its frame rate."""
    clock = MediaClock(0.0, NOON)
    clock.begin_pass()

    assert times(clock, [None, None, 0.05, None]) == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_damaged_time_follows_the_frame_rate() -> None:
    """A frame that says it comes in years comes next, and those after it follow by what they say of each other."""
    clock = MediaClock(0.0, NOON)
    clock.begin_pass()

    assert times(clock, [0.0, 0.1, 1e9, 1e9 + 0.5, 0.4]) == pytest.approx([0.0, 0.1, 0.2, 0.7, 0.8])


def test_a_clip_that_cannot_be_kept_up_with_is_played_slower() -> None:
    """When two seconds behind, the frame is shown now, and the rest after it."""
    clock = MediaClock(0.0, NOON)
    clock.begin_pass()
    clock.advance(0.0, 0.1)

    assert clock.keep_up(0.3).captured_monotonic_s == pytest.approx(0.0)
    moved = clock.keep_up(2.0)
    assert moved.captured_monotonic_s == pytest.approx(2.0)
    assert moved.captured_at == NOON + timedelta(seconds=2)
    assert clock.advance(0.1, 0.1).captured_monotonic_s == pytest.approx(2.1)
