"""Stages that join a running line and leave it, while the others go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.pipeline.channel import Beat
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.line_change import LineStoppingError, StageStaysError
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import EndReason, Outcome, Supervisor
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller

DEADLINE_S = 5.0


class Working:
    """A stage that works until it is asked to stop or dismissed, and notes which."""

    def __init__(self, name: str, *, error: Exception | None = None, listens: bool = True) -> None:
        self.notes: list[str] = []
        self.over = threading.Event()
        self._error = error
        self._listens = listens
        heartbeat = Heartbeat(name, FakeClock(), limit_s=10.0)
        self.stage = Stage(name, self._work, lambda: self._end("stopped"), heartbeat, on_dismiss=self._dismissed)

    def _work(self, beat: Beat) -> None:
        while not self.over.wait(0.02):
            beat()
        if self._error is not None:
            raise self._error

    def _dismissed(self) -> None:
        if self._listens:
            self._end("dismissed")

    def _end(self, note: str) -> None:
        self.notes.append(note)
        self.over.set()


class Running:
    """A line that runs in a thread beside the test."""

    def __init__(self, *ranks: list[Working]) -> None:
        happened = PipelineHappenings(Teller(CollectorRegistry(), logging.getLogger("tests.changes")))
        self.heartbeats = Heartbeats()
        self.outcome: Outcome | None = None
        stages = [[working.stage for working in rank] for rank in ranks]
        self.supervisor = Supervisor(stages, happened, self.heartbeats, stop_within_s=DEADLINE_S)
        self.changes = self.supervisor.changes
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.outcome = self.supervisor.run()

    def end(self) -> Outcome:
        """Wait for the end, which somebody has begun."""
        self._thread.join(DEADLINE_S)
        assert self.outcome is not None
        return self.outcome

    @contextmanager
    def going(self) -> Iterator[Running]:
        """Run it, and stop it in the end."""
        self._thread.start()
        yield self
        self.supervisor.ask_to_stop()
        self._thread.join(DEADLINE_S)


def test_a_stage_joins_and_leaves_while_the_others_go_on() -> None:
    """It is dismissed, not stopped; its heartbeat goes with it, and its name is free again."""
    stays, behind = Working("stays"), Working("behind")
    with Running([stays], [behind]).going() as line:
        for _ in range(2):
            guest = Working("guest")
            line.changes.enlist(0, [guest.stage])
            assert "guest" in line.heartbeats.ages_s()
            line.changes.dismiss([guest.stage], DEADLINE_S)
            assert guest.notes == ["dismissed"]
        assert sorted(line.heartbeats.ages_s()) == ["behind", "stays"]
        assert stays.notes == []

    assert line.end() == Outcome(EndReason.ASKED)


def test_the_only_source_can_be_replaced_within_one_change() -> None:
    """A rank that is empty for the moment ends nothing; left empty, it ends the line."""
    old, new, behind = Working("camera"), Working("camera"), Working("behind")
    with Running([old], [behind]).going() as line:
        with line.changes.opened():
            line.changes.dismiss([old.stage], DEADLINE_S)
            assert not behind.over.wait(1.2)  # more than two turns of the main thread
            line.changes.enlist(0, [new.stage])
        assert not behind.over.wait(0.7)
        line.changes.dismiss([new.stage], DEADLINE_S)

        assert line.end() == Outcome(EndReason.FINISHED)


def test_a_worker_that_leaves_has_not_ended_early() -> None:
    """A stage dismissed while those before it work is no bug, however long the others go on."""
    camera, worker = Working("camera"), Working("worker")
    with Running([camera], [worker]).going() as line, line.changes.opened():
        line.changes.dismiss([worker.stage], DEADLINE_S)
        line.changes.enlist(1, [Working("worker").stage])

    assert line.end() == Outcome(EndReason.ASKED)


def test_a_name_that_is_there_is_refused() -> None:
    """Nothing of the change is started then."""
    other = Working("other")
    with Running([Working("camera")]).going() as line:
        with pytest.raises(ValueError, match="camera"):
            line.changes.enlist(0, [other.stage, Working("camera").stage])
        assert "other" not in line.heartbeats.ages_s()


def test_a_stage_that_does_not_leave_is_named_and_still_stopped_with_the_line() -> None:
    """The line goes on with it."""
    deaf = Working("deaf", listens=False)
    with Running([deaf]).going() as line, pytest.raises(StageStaysError, match="deaf"):
        line.changes.dismiss([deaf.stage], 0.2)

    assert deaf.notes == ["stopped"]
    assert line.end().is_clean


def test_an_exception_of_a_leaving_stage_still_ends_the_line() -> None:
    """A bug is a bug on the way out too."""
    broken = Working("broken", error=ZeroDivisionError("a bug"))
    with Running([broken, Working("camera")]).going() as line:
        line.changes.dismiss([broken.stage], DEADLINE_S)

        assert isinstance(line.end().error, ZeroDivisionError)


def test_once_the_end_has_begun_nothing_is_changed() -> None:
    """Who waits for a change is told; who asks too late is refused, and what should join never starts."""
    deaf, late, changing = Working("deaf", listens=False), Working("late"), Working("changing")
    refused: list[BaseException] = []
    asked = threading.Event()

    def change(_beat: Beat) -> None:
        asked.set()
        with pytest.raises(LineStoppingError) as waiting:
            line.changes.dismiss([deaf.stage], 2 * DEADLINE_S)
        with pytest.raises(LineStoppingError) as late_one:
            line.changes.enlist(0, [late.stage])
        refused.extend((waiting.value, late_one.value))

    changing.stage = Stage("changing", change, lambda: None, changing.stage.heartbeat)
    line = Running([deaf], [changing])
    with line.going():
        assert asked.wait(DEADLINE_S)

    assert line.end().is_clean
    assert len(refused) == 2
    assert late.notes == []
