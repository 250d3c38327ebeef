"""A stop that is asked for before there is anything to stop is not forgotten."""

from __future__ import annotations

import threading

import pytest

from agent.app.stop_requests import StoppedEarlyError, StopRequests


def test_work_gives_its_result_or_its_error() -> None:
    """As if it had been called."""
    stop = StopRequests()

    assert stop.unless_asked(lambda: 7) == 7
    with pytest.raises(ArithmeticError, match="a bug"):
        stop.unless_asked(fail)
    assert not stop.is_thread_left


def fail() -> int:
    """As an engine does that cannot be loaded."""
    raise ArithmeticError("a bug")


def test_a_stop_leaves_the_work_alone() -> None:
    """Asked for while it is busy, or before it began."""
    over = threading.Event()
    for asks in ("before", "while"):
        stop = StopRequests()
        if asks == "before":
            stop.ask()
        else:
            threading.Timer(0.1, stop.ask).start()
        with pytest.raises(StoppedEarlyError):
            stop.unless_asked(over.wait)
        assert stop.is_thread_left
    over.set()


def test_a_stop_is_passed_on_whenever_it_came() -> None:
    """Before or after somebody can do it."""
    early, late, stopped = StopRequests(), StopRequests(), []
    early.ask()
    early.pass_on_to(lambda: stopped.append("early"))
    late.pass_on_to(lambda: stopped.append("late"))
    late.ask()

    assert stopped == ["early", "late"]
