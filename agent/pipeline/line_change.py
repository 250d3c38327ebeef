"""Changes to a line that runs: stages that join it, and stages that leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.pipeline.channel import WAIT_SLICE_S, Beat, no_beat
from agent.pipeline.stage import Stage

# How long one turn of the main thread may keep others waiting who want to change the line.
TURN_LIMIT_S = 30.0


class LineStoppingError(RuntimeError):
    """The line stops, so nothing is changed any more."""


class StageStaysError(RuntimeError):
    """A stage was asked to leave and its thread has not ended in time; it still belongs to the line."""


@dataclass(eq=False)
class LineChange:
    """Handed by whoever wants it to the supervisor's thread, which makes it and says so.

    Attributes:
        joining: stages to be started, in the rank `place`.
        leaving: stages to be dismissed and forgotten once their threads have ended.
    """

    joining: Sequence[Stage] = ()
    place: int = 0
    leaving: Sequence[Stage] = ()
    _settled: threading.Event = field(default_factory=threading.Event)
    _error: BaseException | None = None

    def settle(self, error: BaseException | None = None) -> None:
        """It is made, or will not be."""
        self._error = error
        self._settled.set()

    def wait(self, timeout_s: float, beat: Beat = no_beat) -> bool:
        """Wait for it at most so long, beating meanwhile; whether it is settled.

        Raises:
            LineStoppingError, ValueError: it will not be made.
        """
        until_s = time.monotonic() + timeout_s
        while not self._settled.wait(min(WAIT_SLICE_S, max(0.0, until_s - time.monotonic()))):
            beat()
            if time.monotonic() >= until_s:
                return False
        if self._error is not None:
            raise self._error
        return True


class LineChanges:
    """Asks the supervisor's thread for changes and waits for them; used by one thread, and not by that one.

    Attributes:
        are_open: more changes are about to come, so a rank without stages has not ended.
    """

    def __init__(self, put: Callable[[LineChange], object]) -> None:
        self._put = put
        self.are_open = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While entered, the line does not end for want of stages."""
        self.are_open = True
        try:
            yield
        finally:
            self.are_open = False

    def enlist(self, place: int, stages: Sequence[Stage], beat: Beat = no_beat) -> None:
        """Start stages in the rank at `place`; the supervisor must be in `run`.

        Raises:
            LineStoppingError: the line stops; they were not started.
            ValueError: one has the name of a stage that is there; none was started.
        """
        change = LineChange(joining=stages, place=place)
        self._put(change)
        if not change.wait(TURN_LIMIT_S, beat):
            raise LineStoppingError("the main thread does not turn")

    def dismiss(self, stages: Sequence[Stage], timeout_s: float, beat: Beat = no_beat) -> None:
        """Make stages leave, wait until their threads have ended, and forget them.

        Raises:
            LineStoppingError: the line stops, and they with it.
            StageStaysError: one is still there after the time; it is forgotten when it ends.
        """
        change = LineChange(leaving=stages)
        self._put(change)
        if not change.wait(timeout_s, beat):
            staying = ", ".join(stage.name for stage in stages if not stage.join(0.0))
            raise StageStaysError(f"{staying or 'the main thread'}: has not ended within {timeout_s:g} s")
