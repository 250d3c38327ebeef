"""How long to wait before the next attempt to reach the broker; the only place that decides it."""

from __future__ import annotations

import random

# Of a fleet that lost one broker at one moment, each waits between half and all of the doubled time.
LEAST_SHARE = 0.5


class Backoff:
    """Doubling pauses with jitter; used by one thread."""

    def __init__(self, min_s: float, max_s: float, chance: random.Random) -> None:
        self._min_s = min_s
        self._max_s = max_s
        self._chance = chance
        self._next_s = min_s

    def pause_s(self, *, is_hopeless: bool = False) -> float:
        """Seconds to wait now. What only a person can mend (`is_hopeless`) is tried at the slowest pace at once."""
        limit_s = self._max_s if is_hopeless else self._next_s
        self._next_s = min(self._max_s, 2 * self._next_s)
        return limit_s * self._chance.uniform(LEAST_SHARE, 1.0)

    def reset(self) -> None:
        """It worked: begin with the shortest pause again."""
        self._next_s = self._min_s
