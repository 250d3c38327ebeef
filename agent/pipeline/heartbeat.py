"""Whether a thread's loop still turns."""

from __future__ import annotations

import threading

from agent.clock import Clock


class Heartbeat:
    """Beaten by one thread, read by any. A beat is one clock reading and one assignment: cheap enough per frame."""

    def __init__(self, name: str, clock: Clock, limit_s: float) -> None:
        self.name = name
        self.limit_s = limit_s
        self._clock = clock
        self._beaten_at_s = clock.monotonic_s()

    def beat(self) -> None:
        """The loop turned."""
        self._beaten_at_s = self._clock.monotonic_s()

    @property
    def age_s(self) -> float:
        """Seconds since the last beat."""
        return self._clock.monotonic_s() - self._beaten_at_s

    @property
    def is_stalled(self) -> bool:
        """Whether the last beat is longer ago than `limit_s`."""
        return self.age_s > self.limit_s


class Heartbeats:
    """The heartbeats of all threads that run now; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: dict[str, Heartbeat] = {}

    def add(self, heartbeat: Heartbeat) -> None:
        """Watch it from now on."""
        with self._lock:
            self._live[heartbeat.name] = heartbeat

    def remove(self, heartbeat: Heartbeat) -> None:
        """Its thread ended; an end is not a stall."""
        with self._lock:
            self._live.pop(heartbeat.name, None)

    def ages_s(self) -> dict[str, float]:
        """Seconds since each one's last beat, by name."""
        with self._lock:
            return {name: heartbeat.age_s for name, heartbeat in self._live.items()}

    def stalled(self) -> tuple[str, ...]:
        """The names of those beyond their limit."""
        with self._lock:
            return tuple(name for name, heartbeat in self._live.items() if heartbeat.is_stalled)
