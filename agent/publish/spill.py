"""Where events wait in memory while the outbox's file cannot be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from agent.publish.outbox_file import Waiting, cost


class Spill:
    """A bounded queue in order of sequence; used under the outbox's lock."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Waiting] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def put(self, waiting: Iterable[Waiting]) -> int:
        """Add at the end; how many of the oldest had to go for it."""
        for item in waiting:
            self._waiting.append(item)
            self.bytes += cost(item.event)
        dropped = 0
        while self.bytes > self._max_bytes:
            self.bytes -= cost(self._waiting.popleft().event)
            dropped += 1
        return dropped

    def remove(self, sequences: set[int]) -> set[int]:
        """Forget events that were acknowledged; those of them that were here."""
        found = {item.event.sequence for item in self._waiting} & sequences
        self._waiting = deque(item for item in self._waiting if item.event.sequence not in found)
        self.bytes = sum(cost(item.event) for item in self._waiting)
        return found

    def first(self, limit: int) -> list[Waiting]:
        """The oldest."""
        return [item for item, _ in zip(self._waiting, range(limit), strict=False)]

    def shift_times(self, seconds: float) -> None:
        """Move every stored time, as the file's are when somebody sets the clock."""
        self._waiting = deque(Waiting(event, stored_at + seconds) for event, stored_at in self._waiting)

    def clear(self) -> None:
        """Forget all: they are on disk now."""
        self._waiting.clear()
        self.bytes = 0
