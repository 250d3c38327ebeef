"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FakeClock:
    """Both readings of `agent.clock.Clock`, moved by hand; any thread may read or move it."""

    def __init__(self, monotonic_s: float = 1000.0, now: datetime = BEGINNING) -> None:
        self._lock = threading.Lock()
        self._monotonic_s = monotonic_s
        self._now = now

    def monotonic_s(self) -> float:
        """Seconds, as last set."""
        with self._lock:
            return self._monotonic_s

    def now(self) -> datetime:
        """Wall time, as last set."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move both readings on by `seconds`."""
        with self._lock:
            self._monotonic_s += seconds
            self._now += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Move only wall time, as when somebody sets the clock; may be negative."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
