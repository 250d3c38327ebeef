"""What waited goes at its rate, what is new goes at once."""

from __future__ import annotations

from fakes.clock import FakeClock

from agent.publish.replay_pace import BURST_S, ReplayPace

RATE = 100.0


def drain(pace: ReplayPace, clock: FakeClock, seconds: float) -> int:
    """Send whatever is allowed for so long; how many went."""
    sent = 0
    for _ in range(round(seconds / 0.05)):
        clock.advance(0.05)
        allowed = pace.allowed()
        pace.used(allowed)
        sent += allowed
    return sent


def test_what_waited_goes_at_the_rate() -> None:
    """Ten seconds bring ten times the rate, give or take a burst."""
    clock = FakeClock()

    assert abs(drain(ReplayPace(RATE, clock), clock, 10.0) - 10 * RATE) <= RATE * BURST_S


def test_a_pause_saves_up_a_burst_and_no_more() -> None:
    """After an hour no more than a quarter of a second's worth may go at once."""
    clock = FakeClock()
    pace = ReplayPace(RATE, clock)
    clock.advance(3600.0)

    assert pace.allowed() == RATE * BURST_S


def test_what_is_new_goes_at_once() -> None:
    """A flow denser than the rate is not held up, and the backlog shrinks by the rate all the same."""
    clock = FakeClock()
    pace = ReplayPace(RATE, clock)
    sent = 0
    for _ in range(200):
        pace.add_new(50)
        sent += drain(pace, clock, 0.05)

    assert abs(sent - (200 * 50 + 10 * RATE)) <= RATE * BURST_S


def test_new_events_that_were_turned_away_have_to_wait() -> None:
    """What came during an outage is part of the backlog after it."""
    clock = FakeClock()
    pace = ReplayPace(RATE, clock)
    pace.add_new(5000)
    pace.turned_away()

    assert pace.allowed() == 0


def test_a_rate_of_one_a_second_moves() -> None:
    """Slow is not never."""
    clock = FakeClock()

    assert 9 <= drain(ReplayPace(1.0, clock), clock, 10.0) <= 10
