"""Heartbeats: age, stall, and that an end is not a stall."""

from __future__ import annotations

from fakes.clock import FakeClock

from agent.pipeline.heartbeat import Heartbeat, Heartbeats


def test_a_heart_that_does_not_beat_is_stalled_and_comes_back() -> None:
    """Beyond its limit a heartbeat is named; a beat mends it."""
    clock = FakeClock()
    heart = Heartbeat("gate", clock, limit_s=5.0)
    heartbeats = Heartbeats()
    heartbeats.add(heart)

    clock.advance(5.0)
    assert heartbeats.stalled() == ()
    clock.advance(0.5)
    assert heartbeats.stalled() == ("gate",)
    assert heartbeats.ages_s() == {"gate": 5.5}
    heart.beat()
    assert heartbeats.stalled() == ()


def test_an_ended_thread_does_not_stall() -> None:
    """A removed heartbeat is no longer watched, also when removed twice."""
    clock = FakeClock()
    heart = Heartbeat("gate", clock, limit_s=5.0)
    heartbeats = Heartbeats()
    heartbeats.add(heart)
    heartbeats.remove(heart)
    heartbeats.remove(heart)
    clock.advance(60.0)

    assert heartbeats.stalled() == ()
    assert heartbeats.ages_s() == {}
