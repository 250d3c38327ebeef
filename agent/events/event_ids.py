"""Ids that are unique everywhere and sort by the time they were made."""

from __future__ import annotations

import random
import threading
from uuid import UUID

from agent.clock import Clock

COUNTER_BITS = 12
COUNTER_LIMIT = 1 << COUNTER_BITS
# A new millisecond begins in the lower half of the counter, so that many ids fit into one before it runs over.
COUNTER_START = COUNTER_LIMIT // 2


class EventIds:
    """Makes UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one before; any thread may use it.

    The 12 bits after the time count within a millisecond (RFC 9562, section 6.2, method 1). When they run over, or
    when the clock is set back, ids go on from the last millisecond. Give `random.SystemRandom()` in a daemon: ids of
    two machines differ by chance alone.
    """

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._millisecond = 0
        self._counter = 0

    def next_id(self) -> str:
        """A new id: 36 characters, lower case."""
        with self._lock:
            self._step(int(self._clock.now().timestamp() * 1000))
            high = self._millisecond << 16 | 0x7 << COUNTER_BITS | self._counter
            low = 0b10 << 62 | self._chance.getrandbits(62)
        return str(UUID(int=high << 64 | low))

    def _step(self, millisecond: int) -> None:
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            self._counter = self._chance.randrange(COUNTER_START)
        elif self._counter + 1 < COUNTER_LIMIT:
            self._counter += 1
        else:
            self._millisecond += 1
            self._counter = 0
