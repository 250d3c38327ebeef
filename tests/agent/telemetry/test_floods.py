"""Floods: the first at once, then one line a period with the number, in bounded memory."""

from __future__ import annotations

import logging

import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.telemetry.floods import Floods, Line
from agent.telemetry.teller import Teller

SENTENCE = "gate: {count} frames dropped before detection in the last {seconds} s"


def _line(sentence: str = SENTENCE, **fields: object) -> Line:
    return Line(logging.WARNING, sentence, fields)


def _add(floods: Floods, key: str = "gate", count: int = 1) -> list[str]:
    return [line.sentence for line in floods.add(key, _line(), period_s=10.0, count=count)]


def test_the_first_is_told_at_once_and_the_rest_with_their_number() -> None:
    """214 more within the period are one line when it is over."""
    clock = FakeClock()
    floods = Floods(clock)

    assert _add(floods) == ["gate: 1 frames dropped before detection in the last 10 s"]
    assert [_add(floods) for _ in range(214)] == [[]] * 214
    assert floods.due() == []
    clock.advance(10.0)
    assert [line.sentence for line in floods.due()] == ["gate: 214 frames dropped before detection in the last 10 s"]


def test_a_flood_that_goes_on_tells_itself_each_period() -> None:
    """Without anybody calling `due`, the next happening after the period tells; the sum of all lines is exact."""
    clock = FakeClock()
    floods = Floods(clock)
    told: list[int] = []
    for _ in range(1000):
        told += [line.fields["count"] for line in floods.add("gate", _line(), period_s=10.0) if line.fields]  # type: ignore[misc] # a count is a number
        clock.advance(0.1)
    told += [line.fields["count"] for line in floods.rest()]  # type: ignore[misc] # as above

    assert sum(told) == 1000
    assert len(told) <= 12


def test_after_a_quiet_period_the_next_is_told_at_once() -> None:
    """A flood that is over is forgotten."""
    clock = FakeClock()
    floods = Floods(clock)
    _add(floods)
    clock.advance(10.0)

    assert floods.due() == []
    assert len(_add(floods)) == 1


def test_keys_do_not_mix() -> None:
    """One camera's flood does not silence another's."""
    floods = Floods(FakeClock())

    assert len(_add(floods, "gate")) == len(_add(floods, "yard")) == 1


def test_memory_is_bounded_and_no_number_is_lost() -> None:
    """With more keys than room the one untouched longest is told and leaves."""
    floods = Floods(FakeClock(), max_keys=2)
    for key in ("a", "a", "a", "b"):
        _add(floods, key)

    assert [line.split(":")[0] + line[5:8] for line in _add(floods, "c")] == ["gate 1 ", "gate 2 "]
    assert len(floods._floods) == 2


def test_braces_from_outside_are_left_alone() -> None:
    """A sentence may carry what a camera sent."""
    floods = Floods(FakeClock())

    (line,) = floods.add("x", _line("said {oops} {0} {count}"), period_s=10.0)
    assert line.sentence == "said {oops} {0} 1"


def test_the_teller_folds_and_writes_the_rest_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """`fold` for floods, `tell_due` now and then, `tell_rest` at the end; fields are those of the last."""
    clock = FakeClock()
    teller = Teller(CollectorRegistry(), logging.getLogger("tests.floods"), clock)
    with caplog.at_level(logging.DEBUG):
        for number in range(5):
            teller.fold("gate", logging.DEBUG, SENTENCE, period_s=10.0, camera="gate", number=number)
        clock.advance(12.0)
        teller.tell_due()
        teller.fold("gate", logging.DEBUG, SENTENCE, count=7)
        teller.tell_rest()

    sentences = [record.message for record in caplog.records]
    assert [sentence.split()[1] for sentence in sentences] == ["1", "4", "7"]
    assert sentences[1].endswith("in the last 12 s")
    assert caplog.records[1].fields == {"camera": "gate", "number": 4, "count": 4}  # type: ignore[attr-defined] # set by the teller
