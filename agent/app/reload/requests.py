"""Who asks for a reload, and how the thread that reloads hears of it."""

from __future__ import annotations

import queue

BY_SIGNAL = "SIGHUP"


class ReloadRequests:
    """`ask` may be called by a signal handler, at any time from the start on, `stop` by any thread."""

    def __init__(self) -> None:
        self.is_stopping = False
        # SimpleQueue.put is reentrant, so a signal handler may use it; an Event could deadlock there.
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ask(self) -> None:
        """Read the site file anew."""
        self._asked.put(None)

    def stop(self) -> None:
        """Nothing is reloaded any more."""
        self.is_stopping = True
        self._asked.put(None)

    def wait(self, timeout_s: float) -> bool:
        """Whether a reload is asked for within the time; several requests are one. Not any more when all is over."""
        try:
            self._asked.get(timeout=timeout_s)
        except queue.Empty:
            return False
        while not self._asked.empty():
            self._asked.get()
        return not self.is_stopping
