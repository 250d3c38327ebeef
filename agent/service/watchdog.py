"""A sign of life for the service manager, as long as every loop turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.clock import Clock
from agent.service.notify import Notifier

# Well under the half that sd_watchdog_enabled(3) asks for, so that one late turn of the main loop costs nothing.
PINGS_AN_INTERVAL = 4


class Watchdog:
    """Pings while nothing is stalled; a hang of one thread so ends in a restart by the manager. Main thread only."""

    def __init__(self, notifier: Notifier, stalled: Callable[[], Sequence[str]], clock: Clock) -> None:
        """A watchdog that has not pinged yet.

        Args:
            notifier: where pings go; without a manager, or without its watchdog, none are sent.
            stalled: names of the threads whose loops do not turn, `Heartbeats.stalled`.
            clock: tells when the next ping is due.
        """
        self._notifier = notifier
        self._stalled = stalled
        self._clock = clock
        self._pinged_at_s: float | None = None

    def turn(self) -> None:
        """Ping if it is due and all is well; called by the main loop at least once a second."""
        interval_s = self._notifier.watchdog_interval_s
        now_s = self._clock.monotonic_s()
        if interval_s is None or self._stalled():
            return
        if self._pinged_at_s is None or now_s - self._pinged_at_s >= interval_s / PINGS_AN_INTERVAL:
            self._pinged_at_s = now_s
            self._notifier.watchdog()
