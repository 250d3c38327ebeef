"""Supervisor: start back to front, stop front to back, and an honest account of the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.pipeline.channel import Beat, Channel, ChannelClosed, WhenFull
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import EndReason, Outcome, Supervisor
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller

DEADLINE_S = 5.0


class Line:
    """A line of stages and what a test sees of it."""

    def __init__(self, ranks: Sequence[Sequence[Stage]], stop_within_s: float = DEADLINE_S) -> None:
        self.registry = CollectorRegistry()
        self.heartbeats = Heartbeats()
        self.ticked = threading.Event()
        happened = PipelineHappenings(Teller(self.registry, logging.getLogger("tests.supervisor")))
        self.supervisor = Supervisor(
            ranks, happened, self.heartbeats, stop_within_s=stop_within_s, tick=self.ticked.set
        )

    def run_and_ask(self) -> Outcome:
        """Run, asking to stop after the first tick."""
        asker = threading.Thread(target=self._ask_after_a_tick)
        asker.start()
        outcome = self.supervisor.run()
        asker.join(DEADLINE_S)
        return outcome

    def _ask_after_a_tick(self) -> None:
        assert self.ticked.wait(DEADLINE_S)
        self.supervisor.ask_to_stop()


def _stage(name: str, work: Callable[[Beat], object], on_stop: Callable[[], object] = lambda: None) -> Stage:
    return Stage(name, work, on_stop, Heartbeat(name, FakeClock(), limit_s=10.0))


def _waiting(name: str, log: list[str] | None = None) -> Stage:
    """A stage that works until it is asked to stop, noting both."""
    told = threading.Event()
    notes = [] if log is None else log

    def work(beat: Beat) -> None:
        notes.append(f"{name} starts")
        while not told.wait(0.05):
            beat()
        notes.append(f"{name} ends")

    return _stage(name, work, told.set)


@pytest.fixture
def stuck() -> Iterator[Stage]:
    """A stage that does not listen until the test is over."""
    over = threading.Event()
    stage = _stage("stuck", lambda _beat: over.wait(DEADLINE_S))
    yield stage
    over.set()
    stage.join(DEADLINE_S)


def _fail(_beat: Beat) -> None:
    raise ZeroDivisionError("a bug")


def test_a_line_whose_sources_end_drains_everything_and_is_finished() -> None:
    """A replay: the source ends, each stage behind it gets all items, in order, and ends in turn."""
    first: Channel[int] = Channel(2, WhenFull.BLOCK)
    second: Channel[int] = Channel(2, WhenFull.BLOCK)
    out: list[int] = []

    def source(beat: Beat) -> None:
        for item in range(500):
            first.put(item, beat)

    def double(beat: Beat) -> None:
        for item in first.items(beat):
            second.put(item * 2, beat)

    line = Line(
        [
            [_stage("source", source)],
            [_stage("double", double, first.close)],
            [_stage("sink", lambda beat: out.extend(second.items(beat)), second.close)],
        ]
    )
    outcome = line.supervisor.run()

    assert outcome == Outcome(EndReason.FINISHED)
    assert outcome.is_clean
    assert out == [item * 2 for item in range(500)]
    assert line.heartbeats.ages_s() == {}


class NotedStage(Stage):
    """A stage that notes when it is started; it works until asked to stop and notes that too."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._told = threading.Event()
        self._log = log
        super().__init__(name, self._turn, self._told.set, Heartbeat(name, FakeClock(), limit_s=10.0))

    def start(self, on_end: Callable[[Stage], None]) -> None:
        """Note it, then start."""
        self._log.append(f"start {self.name}")
        super().start(on_end)

    def _turn(self, _beat: Beat) -> None:
        self._told.wait(DEADLINE_S)
        self._log.append(f"end {self.name}")


def test_stages_start_back_to_front_and_stop_front_to_back() -> None:
    """Whoever sends has a receiver, from the first moment to the last."""
    log: list[str] = []
    outcome = Line([[NotedStage(name, log)] for name in ("front", "middle", "back")]).run_and_ask()

    assert outcome == Outcome(EndReason.ASKED)
    assert log == ["start back", "start middle", "start front", "end front", "end middle", "end back"]


def test_items_handed_over_before_a_stop_are_not_lost() -> None:
    """Asked to stop, each stage still drains what waits into the next, which stays open until then."""
    first: Channel[int] = Channel(100, WhenFull.BLOCK)
    second: Channel[int] = Channel(2, WhenFull.BLOCK)
    told = threading.Event()
    out: list[int] = []

    def produce(beat: Beat) -> None:
        for item in range(50):
            first.put(item, beat)
        told.wait(DEADLINE_S)

    def forward(beat: Beat) -> None:
        told.wait(DEADLINE_S)
        for item in first.items(beat):
            second.put(item, beat)

    ranks = [
        [_stage("produce", produce, told.set)],
        [_stage("forward", forward, first.close)],
        [_stage("consume", lambda beat: out.extend(second.items(beat)), second.close)],
    ]
    outcome = Line(ranks).run_and_ask()

    assert outcome.is_clean
    assert out == list(range(50))


def test_a_failing_stage_stops_the_others_and_is_named() -> None:
    """A bug in one stage ends the line with that stage's exception; the others end in order."""
    line = Line([[_waiting("source")], [_stage("broken", _fail)], [_waiting("sink")]])
    outcome = line.supervisor.run()

    assert (outcome.reason, outcome.failed_stage, outcome.leftover) == (EndReason.FAILED, "broken", ())
    assert isinstance(outcome.error, ZeroDivisionError)
    assert not outcome.is_clean
    assert line.registry.get_sample_value("sitewatch_stage_failures_total", {"stage": "broken"}) == 1


def test_a_thread_that_does_not_end_is_named(stuck: Stage) -> None:
    """Beyond the deadline a thread is given up by name, and the stages behind it still ended properly."""
    log: list[str] = []
    line = Line([[stuck], [_waiting("sink", log)]], stop_within_s=0.4)
    outcome = line.run_and_ask()

    assert outcome == Outcome(EndReason.ASKED, leftover=("stuck",))
    assert not outcome.is_clean
    assert log[-1] == "sink ends"
    assert line.registry.get_sample_value("sitewatch_stage_leftovers_total", {"stage": "stuck"}) == 1


def test_a_stop_action_that_raises_keeps_nobody_from_theirs() -> None:
    """The other stages are still asked; the failure is told and the end is not clean."""
    told = threading.Event()

    def bad_stop() -> None:
        told.set()
        raise OSError("no such socket")

    line = Line([[_stage("bad", lambda _beat: told.wait(DEADLINE_S), bad_stop)], [_waiting("sink")]])
    outcome = line.run_and_ask()

    assert (outcome.reason, outcome.failed_stage) == (EndReason.ASKED, "bad")
    assert isinstance(outcome.error, OSError)
    assert outcome.leftover == ()


def test_a_closed_hand_off_is_a_normal_end_once_stopping_began() -> None:
    """A producer blocked on a full channel that is closed under it has not failed."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)

    def produce(beat: Beat) -> None:
        while True:
            channel.put(1, beat)

    outcome = Line([[_stage("produce", produce, channel.close)]]).run_and_ask()

    assert outcome == Outcome(EndReason.ASKED)


def test_a_hand_off_closed_by_nobodys_order_is_a_failure() -> None:
    """Unasked, a closed channel under a producer is a bug and is told as one."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)
    channel.close()
    outcome = Line([[_stage("produce", lambda _beat: channel.put(1))]]).supervisor.run()

    assert outcome.failed_stage == "produce"
    assert isinstance(outcome.error, ChannelClosed)


def test_a_stage_that_goes_home_early_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that returns while its camera still delivers would silence the site; everything stops instead."""
    monkeypatch.setattr("agent.pipeline.supervisor.EARLY_END_GRACE_S", 0.0)
    line = Line([[_waiting("camera")], [_stage("worker", lambda _beat: None)]])
    outcome = line.supervisor.run()

    assert (outcome.reason, outcome.failed_stage) == (EndReason.FAILED, "worker")
    assert str(outcome.error) == "worker: ended though nobody asked it to"


def test_one_source_may_end_before_the_other() -> None:
    """A clip's end does not stop the camera beside it."""
    camera = _waiting("camera")
    line = Line([[_stage("clip", lambda _beat: None), camera], [_waiting("sink")]])
    outcome = line.run_and_ask()

    assert outcome == Outcome(EndReason.ASKED)


def test_a_stalled_heart_is_told_once_and_its_return_too(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that stops turning is one line, and one more when it turns again."""
    clock = FakeClock()
    told = threading.Event()
    stage = Stage("slow", lambda _beat: told.wait(DEADLINE_S), told.set, Heartbeat("slow", clock, 2.0))
    line = Line([[stage]])
    ticks = iter(range(100))

    def tick() -> None:
        turn = next(ticks)
        if turn == 0:
            clock.advance(3.0)
        if turn == 2:
            stage.heartbeat.beat()
        if turn == 3:
            line.supervisor.ask_to_stop()

    line.supervisor._tick = tick
    with caplog.at_level(logging.WARNING):
        line.supervisor.run()

    assert [record.message for record in caplog.records] == [
        "slow: its loop has not turned for 3 s",
        "slow: its loop turns again",
    ]


def test_two_stages_of_one_name_are_refused() -> None:
    """A name in the log is one thread."""
    with pytest.raises(ValueError, match="every name must be its own"):
        Line([[_waiting("same"), _waiting("same")]])


def test_the_thread_carries_the_stage_s_name() -> None:
    """What a debugger or py-spy shows is what the log says."""
    names: list[str] = []
    Line([[_stage("capture-gate", lambda _beat: names.append(threading.current_thread().name))]]).supervisor.run()

    assert names == ["capture-gate"]
