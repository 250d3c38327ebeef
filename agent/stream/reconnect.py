"""How long to wait before a lost camera is tried again."""

from __future__ import annotations

import random

JITTER = 0.25
HEALTHY_S = 30.0


class Reconnect:
    """Delays that double from a minimum to a maximum, for ever; used by one thread.

    Each is moved by up to a quarter either way, so that fifty cameras behind one switch do not come back in step.

    Args:
        minimum_s, maximum_s: of the delay; jitter may go below the minimum but not above the maximum.
        rng: where jitter comes from.
        healthy_s: a connection that delivered for so long begins again at the minimum when it is lost.
    """

    def __init__(self, minimum_s: float, maximum_s: float, rng: random.Random, *, healthy_s: float = HEALTHY_S) -> None:
        self._minimum_s = minimum_s
        self._maximum_s = maximum_s
        self._rng = rng
        self._healthy_s = healthy_s
        self._next_s = minimum_s

    def delay_s(self, delivered_for_s: float) -> float:
        """Seconds to wait now, after a connection that delivered frames for so long (0 if none)."""
        if delivered_for_s >= self._healthy_s:
            self._next_s = self._minimum_s
        delay_s = self._next_s * self._rng.uniform(1 - JITTER, 1 + JITTER)
        self._next_s = min(self._next_s * 2, self._maximum_s)
        return min(delay_s, self._maximum_s)
