"""The first signal to stop asks, the second insists; another one asks for a reload."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def exit_at_once(signal_number: int) -> None:
    """Leave without any clean-up, with the status a shell gives a killed program."""
    os._exit(128 + signal_number)


class StopSignals:
    """While entered, SIGTERM and SIGINT stop the agent instead of interrupting it; main thread only.

    `ask` runs inside the signal handler, so it must do next to nothing: a flag, or `SimpleQueue.put`, which is
    reentrant; `threading.Event.set` could deadlock there.
    """

    def __init__(self, ask: Callable[[], None], insist: Callable[[int], None] = exit_at_once) -> None:
        self._ask = ask
        self._insist = insist
        self._before: dict[signal.Signals, object] = {}
        self.received: int | None = None

    def __enter__(self) -> StopSignals:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        while self._before:
            number, handler = self._before.popitem()
            # None stands for a handler not installed from Python; there is no way to put it back.
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)  # type: ignore[arg-type] # as signal() gave it

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            self._insist(number)
            return
        self.received = number
        self._ask()


class ReloadSignal:
    """While entered, SIGHUP asks for a reload instead of ending the process; main thread only.

    `ask` runs inside the signal handler, with the same restrictions as that of `StopSignals`.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._before: object = None

    def __enter__(self) -> ReloadSignal:
        self._before = signal.signal(signal.SIGHUP, lambda _number, _frame: self._ask())
        return self

    def __exit__(self, *_: object) -> None:
        # None stands for a handler not installed from Python; there is no way to put it back.
        handler = self._before if self._before is not None else signal.SIG_DFL
        signal.signal(signal.SIGHUP, handler)  # type: ignore[arg-type] # as signal() gave it
