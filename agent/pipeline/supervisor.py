"""Starts a line of stages, watches it, stops it, and says how it ended."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from agent.pipeline.channel import ChannelClosed
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.line_change import LineChange, LineChanges, LineStoppingError
from agent.pipeline.stage import Stage
from agent.telemetry.pipeline import PipelineHappenings

TICK_S = 0.5
# A rank may see its input close moments before the rank in front of it is gone.
EARLY_END_GRACE_S = 5.0
# A thread that has said it is over needs this much at most to vanish.
JOIN_S = 1.0


class StageEndedEarlyError(RuntimeError):
    """A stage ended of itself while the stages before it still worked for it: a bug in the stage."""


class EndReason(str, Enum):
    """Why the line ended."""

    FINISHED = "finished"
    ASKED = "asked"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """How the line ended.

    Attributes:
        reason: what began the end.
        failed_stage: the stage whose exception ended the line, or None.
        error: that exception, or None.
        leftover: names of threads alive after the deadline.
    """

    reason: EndReason
    failed_stage: str | None = None
    error: BaseException | None = None
    leftover: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing failed and no thread is left."""
        return self.error is None and not self.leftover


class Supervisor:
    """Owns every stage of one line; `run` belongs to the main thread, `ask_to_stop` to anybody.

    The line is given in reading order, front to back, as ranks: `[captures, detectors, [tracking], [telling], ...]`.
    Starting goes back to front, so whoever sends has a receiver. A rank is asked to stop as soon as every rank before
    it has ended, of itself or because everything stops: its stop action closes its input, it drains what is left and
    ends. So the end of all sources ends the line (a replay), and a stop loses nothing that was handed over.

    While it runs, stages may join a rank and leave, as one other thread asks for through `changes`; the main thread
    does it. Who joins has its receivers already, as at the start; whoever dismisses answers for what was handed to
    those who leave. Once the end has begun nothing is changed any more.
    """

    def __init__(
        self,
        ranks: Sequence[Sequence[Stage]],
        happened: PipelineHappenings,
        heartbeats: Heartbeats,
        *,
        stop_within_s: float,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """A line not yet started.

        Args:
            ranks: stages front to back; those of one rank stop together.
            happened: told what happens.
            heartbeats: where the stages' heartbeats are registered while they run.
            stop_within_s: seconds from the beginning of the end until threads are given up. Each rank may use its
                even share and all that the ranks before it left over.
            tick: called by `run` about twice a second, also while stopping: watchdog, floods, progress. Quick.
        """
        self._ranks = [list(rank) for rank in ranks]
        self._happened = happened
        self._heartbeats = heartbeats
        self._stop_within_s = stop_within_s
        self._tick = tick
        # SimpleQueue.put is reentrant, so a signal handler may ask; an Event or Condition could deadlock there.
        self._news: queue.SimpleQueue[Stage | LineChange | None] = queue.SimpleQueue()
        self._started: list[Stage] = []
        self._ended_at_s: dict[str, float] = {}
        self._failed: list[Stage] = []
        self._asked: set[str] = set()
        self._stalled: set[str] = set()
        self._dismissals: list[LineChange] = []
        self.changes = LineChanges(self._news.put)
        self._is_stopping = False
        names = [stage.name for rank in self._ranks for stage in rank]
        if len(names) != len(set(names)):
            raise ValueError(f"stages: every name must be its own, got {sorted(names)}")

    def run(self) -> Outcome:
        """Start, watch until the end begins, stop; returns how it ended. Called once."""
        reason = EndReason.FAILED
        try:
            self._start()
            self._tick()  # at once: whoever waits for readiness need not wait for the first turn as well
            reason = self._watch()
        finally:
            self._happened.stop_began(reason.value)
            leftover = self._stop()
        return self._outcome(reason, leftover)

    def ask_to_stop(self) -> None:
        """Begin the end; from any thread or signal handler, any number of times."""
        self._news.put(None)

    def _start(self) -> None:
        for stage in (stage for rank in reversed(self._ranks) for stage in rank):
            self._start_one(stage)

    def _start_one(self, stage: Stage) -> None:
        self._heartbeats.add(stage.heartbeat)
        stage.start(on_end=self._news.put)
        self._started.append(stage)
        self._happened.stage_started(stage.name)

    def _make(self, change: LineChange) -> None:
        """Begin a change that was asked for."""
        taken = {stage.name for rank in self._ranks for stage in rank}
        if self._is_stopping:
            change.settle(LineStoppingError("the line stops"))
        elif taken & {stage.name for stage in change.joining}:
            change.settle(ValueError(f"stages: every name must be its own, got {sorted(taken)} already"))
        else:
            for stage in change.joining:
                self._ranks[change.place].append(stage)
                self._start_one(stage)
            self._dismissals.append(change)
            for stage in change.leaving:
                self._ask_one(stage, stage.dismiss)
            self._forget_gone()

    def _forget_gone(self) -> None:
        """Settle the changes whose leaving stages have all ended."""
        for change in [change for change in self._dismissals if all(map(self._is_over, change.leaving))]:
            for stage in change.leaving:
                for rank in self._ranks:
                    rank[:] = [each for each in rank if each is not stage]
                self._started.remove(stage)
                del self._ended_at_s[stage.name]
            self._dismissals.remove(change)
            change.settle()

    def _watch(self) -> EndReason:
        """Turn until every rank has ended, a stage fails or somebody asks."""
        while True:
            if self._ask_ranks_behind_ended_ones():
                return EndReason.FINISHED
            if self._hear(TICK_S):
                return EndReason.ASKED
            self._fail_early_ends()
            if self._failed:
                return EndReason.FAILED

    def _ask_ranks_behind_ended_ones(self) -> bool:
        """Ask each rank to stop that only has ended ones before it; whether all ranks have ended."""
        if self.changes.are_open:
            return False
        for place, rank in enumerate(self._ranks):
            if place > 0:
                self._ask(rank)
            if not self._have_ended(rank):
                return False
        return True

    def _fail_early_ends(self) -> None:
        """A stage that went home while those before it work is a bug, though it raised nothing."""
        leaving = [stage for change in self._dismissals for stage in change.leaving]
        for place, rank in enumerate(self._ranks):
            if self.changes.are_open or self._have_ended([stage for before in self._ranks[:place] for stage in before]):
                continue
            for stage in (stage for stage in rank if stage not in leaving):
                ended_at_s = self._ended_at_s.get(stage.name)
                if ended_at_s is not None and time.monotonic() - ended_at_s > EARLY_END_GRACE_S:
                    self._note_failure(stage, StageEndedEarlyError(f"{stage.name}: ended though nobody asked it to"))

    def _hear(self, timeout_s: float) -> bool:
        """One turn of the main loop: at most one piece of news, then a tick; whether somebody asked to stop."""
        asked = False
        with contextlib.suppress(queue.Empty):
            news = self._news.get(timeout=max(0.0, timeout_s))
            asked = news is None
            if isinstance(news, LineChange):
                self._make(news)
            elif news is not None:
                self._note_end(news)
        self._tell_stalls()
        self._tick()
        return asked

    def _note_end(self, stage: Stage) -> None:
        self._ended_at_s[stage.name] = time.monotonic()
        self._heartbeats.remove(stage.heartbeat)
        # A closed hand-off is how a stage learns that the line is stopping; only unasked it is a failure.
        if stage.error is None or (isinstance(stage.error, ChannelClosed) and self._asked):
            self._happened.stage_finished(stage.name)
        else:
            self._note_failure(stage, stage.error)
        self._forget_gone()

    def _note_failure(self, stage: Stage, error: BaseException) -> None:
        stage.error = error
        self._failed.append(stage)
        self._happened.stage_failed(stage.name, error)

    def _tell_stalls(self) -> None:
        stalled = set(self._heartbeats.stalled())
        ages_s = self._heartbeats.ages_s()
        for name in sorted(stalled - self._stalled):
            self._happened.heartbeat_stalled(name, ages_s.get(name, 0.0))
        for name in sorted((self._stalled - stalled) & ages_s.keys()):
            self._happened.heartbeat_returned(name)
        self._stalled = stalled

    def _stop(self) -> tuple[str, ...]:
        """Ask and await rank by rank, front to back; returns the names of the threads that are left."""
        self._is_stopping = True
        for change in self._dismissals:
            change.settle(LineStoppingError("the line stops"))
        self._dismissals.clear()
        began_s = time.monotonic()
        share_s = self._stop_within_s / max(1, len(self._ranks))
        for place, rank in enumerate(self._ranks):
            self._ask(rank)
            self._await(rank, began_s + share_s * (place + 1))
        self._await(self._started, began_s + self._stop_within_s)
        leftover = tuple(stage.name for stage in self._started if not self._is_gone(stage))
        for name in leftover:
            self._happened.thread_left_over(name, time.monotonic() - began_s)
        return leftover

    def _ask(self, rank: Sequence[Stage]) -> None:
        for stage in rank:
            if stage.name in self._asked or stage not in self._started:
                continue
            self._asked.add(stage.name)
            self._ask_one(stage, stage.ask_to_stop)

    def _ask_one(self, stage: Stage, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - one bad stop action must not keep the others from theirs
            self._failed.append(stage)
            stage.error = error
            self._happened.stop_action_failed(stage.name, error)

    def _await(self, stages: Sequence[Stage], until_s: float) -> None:
        while not self._have_ended(stages) and time.monotonic() < until_s:
            self._hear(min(TICK_S, until_s - time.monotonic()))

    def _have_ended(self, stages: Sequence[Stage]) -> bool:
        return all(self._is_over(stage) or stage.is_given_up or stage not in self._started for stage in stages)

    def _is_over(self, stage: Stage) -> bool:
        return stage.name in self._ended_at_s

    def _is_gone(self, stage: Stage) -> bool:
        return stage.join(JOIN_S if self._is_over(stage) else 0.0)

    def _outcome(self, reason: EndReason, leftover: tuple[str, ...]) -> Outcome:
        # A closed hand-off is what a failure looks like from the neighbour; name the cause where there is one.
        causes = [stage for stage in self._failed if not isinstance(stage.error, ChannelClosed)]
        for stage in [*causes, *self._failed]:
            return Outcome(reason, stage.name, stage.error, leftover)
        return Outcome(reason, leftover=leftover)
