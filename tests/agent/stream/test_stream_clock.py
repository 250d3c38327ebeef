from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from agent.stream.frame import ClockSource
from agent.stream.stamp import Stamp
from agent.stream.stream_clock import StreamClock

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def at(arrival_s: float) -> datetime:
    return NOON + timedelta(seconds=arrival_s)


def stamp(clock: StreamClock, stream_s: float | None, arrival_s: float, sender_at_s: float | None = None) -> Stamp:
    return clock.stamp(stream_s, arrival_s, at(arrival_s), sender_at_s)


def test_without_stream_time_the_arrival_counts() -> None:
    """A frame that has no time of its own gets ours, and says so."""
    told = stamp(StreamClock(), None, 7.0)

    assert told == Stamp(at(7.0), 7.0, ClockSource.HOST)


def test_jitter_does_not_move_time() -> None:
    """Frames that come late by up to 80 ms are spaced as they were captured, once one came without delay."""
    clock, rng = StreamClock(), np.random.default_rng(1)
    stamp(clock, 50.0, 100.0)

    told = [stamp(clock, 50.0 + i / 10, 100.0 + i / 10 + rng.uniform(0, 0.08)) for i in range(1, 50)]

    for i, one in enumerate(told, 1):
        assert one.captured_monotonic_s == pytest.approx(100.0 + i / 10)
        assert one.captured_at.timestamp() == pytest.approx(at(100.0 + i / 10).timestamp(), abs=1e-5)
        assert one.clock_source is ClockSource.PTS


def test_no_frame_is_captured_after_it_came() -> None:
    """A frame that is less delayed than all before moves the anchor at once."""
    clock = StreamClock()
    stamp(clock, 0.0, 10.5)

    assert stamp(clock, 0.1, 10.1).captured_monotonic_s == pytest.approx(10.1)
    assert stamp(clock, 0.2, 10.4).captured_monotonic_s == pytest.approx(10.2)


def test_a_jump_back_is_anchored_anew() -> None:
    """When the camera's stream time starts again at zero, its next frame is captured now."""
    clock = StreamClock()
    for i in range(20):
        stamp(clock, 500.0 + i / 10, 10.0 + i / 10)

    assert stamp(clock, 0.0, 12.0).captured_monotonic_s == pytest.approx(12.0)
    assert stamp(clock, 0.1, 12.15).captured_monotonic_s == pytest.approx(12.1)


def test_a_jump_ahead_is_anchored_anew() -> None:
    """When stream time leaps, frames are still captured when they come."""
    clock = StreamClock()
    stamp(clock, 0.0, 10.0)

    assert stamp(clock, 3600.0, 10.1).captured_monotonic_s == pytest.approx(10.1)


def test_a_backlog_keeps_its_capture_times() -> None:
    """Frames that a network held up for four seconds and then sends in a burst were captured when they were."""
    clock = StreamClock()
    stamp(clock, 0.0, 10.0)

    told = [stamp(clock, 0.1 * i, 14.0 + 0.02 * i) for i in range(1, 40)]

    for i, one in enumerate(told, 1):
        assert one.captured_monotonic_s == pytest.approx(10.0 + 0.1 * i)


def test_a_clock_that_stood_is_anchored_anew() -> None:
    """When stream time stood still for five seconds while ours went on, frames are not taken for old for long."""
    clock = StreamClock()
    stamp(clock, 0.0, 10.0)

    told = [stamp(clock, 0.1 * i, 15.0 + 0.1 * i) for i in range(1, 60)]

    ages = [15.0 + 0.1 * i - one.captured_monotonic_s for i, one in enumerate(told, 1)]
    assert ages[0] == pytest.approx(5.0)
    assert ages[30:] == pytest.approx([0.0] * len(ages[30:]), abs=0.01)


def test_drift_is_followed() -> None:
    """A stream clock that runs slow by one part in a thousand is never more than a window's drift behind."""
    clock = StreamClock(window_s=10.0)

    ages = [(i / 10) * 1.001 - stamp(clock, i / 10, (i / 10) * 1.001).captured_monotonic_s for i in range(6000)]

    assert max(ages) < 0.025


def test_the_cameras_own_clock_is_told() -> None:
    """Wall time from RTCP goes before ours, the offset is told, and monotonic time stays on our clock."""
    clock = StreamClock()

    told = stamp(clock, 0.0, 10.0, (at(10.0) - timedelta(seconds=1.5)).timestamp())

    assert told.clock_source is ClockSource.RTCP
    assert told.captured_at == at(8.5)
    assert told.captured_monotonic_s == pytest.approx(10.0)
    assert told.clock_offset_s == pytest.approx(-1.5)


@pytest.mark.parametrize("sender_at", [datetime(1970, 1, 2, tzinfo=timezone.utc), NOON + timedelta(hours=2)])
def test_a_cameras_clock_that_is_not_set_is_not_believed(sender_at: datetime) -> None:
    """A camera that lives in 1970, or sends local time as UTC, does not date events; its offset is told."""
    told = stamp(StreamClock(), 0.0, 10.0, sender_at.timestamp())

    assert told.clock_source is ClockSource.PTS
    assert told.captured_at == at(10.0)
    assert told.clock_offset_s == pytest.approx((sender_at - at(10.0)).total_seconds())
