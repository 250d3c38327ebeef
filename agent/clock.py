"""Time as an argument: what needs to know it is given a `Clock`."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Two readings that every thread may take at any moment."""

    def monotonic_s(self) -> float:
        """Seconds that only rise; for tracking, rates, ages and time-outs."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC; for people and consumers."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_s(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """Wall time in UTC."""
        return datetime.now(timezone.utc)
