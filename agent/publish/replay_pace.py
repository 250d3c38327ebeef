"""How fast events that had to wait are sent, so that a receiver that comes back is not thrown over by them."""

from __future__ import annotations

import threading

from agent.clock import Clock

# Seconds of replay that may go out at once: small against a second, large against the thread's turn.
BURST_S = 0.25
# What is earned in less is not sent alone: one event at a time would cost more than it brings.
LOT_S = BURST_S / 2


class ReplayPace:
    """Lets what waited go at a bounded rate, and what is new at once; any thread may use it.

    The backlog shrinks by `rate_per_s` at most: time earns that many events a second, and every new event earns one
    more. So a flow without an outage is never held up, and one that is denser than the rate still catches up after
    one. New events go behind the old ones all the same: the order is that of `sequence`.
    """

    def __init__(self, rate_per_s: float, clock: Clock) -> None:
        """Everything that waits now has to wait its turn."""
        self._rate_per_s = rate_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._by_time = 0.0
        self._new = 0
        self._earned_at_s = clock.monotonic_s()

    def limit(self, rate_per_s: float) -> None:
        """Let it go at another rate from now on."""
        with self._lock:
            self._rate_per_s = rate_per_s

    def add_new(self, count: int) -> None:
        """So many events are new; call it after they can be sent."""
        with self._lock:
            self._new += count

    def allowed(self) -> int:
        """How many may be on their way now."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            most = max(1.0, self._rate_per_s * BURST_S)
            self._by_time = min(most, self._by_time + self._rate_per_s * (now_s - self._earned_at_s))
            self._earned_at_s = now_s
            lot = int(self._by_time) if self._by_time >= self._rate_per_s * LOT_S else 0
            return lot + self._new

    def used(self, count: int) -> None:
        """So many went: what was new pays first, as it has been waited for least."""
        with self._lock:
            paid = min(count, self._new)
            self._new -= paid
            self._by_time -= count - paid

    def turned_away(self) -> None:
        """The receiver takes nothing: what is new has to wait like the rest."""
        with self._lock:
            self._new = 0
