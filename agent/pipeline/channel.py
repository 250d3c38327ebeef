"""A bounded hand-off between threads with a named answer to being full."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")
Beat = Callable[[], None]

# Blocking calls wake this often to beat, far below any heartbeat's limit.
WAIT_SLICE_S = 0.25


class ChannelClosed(Exception):  # noqa: N818 - the normal end of a hand-off, not an error
    """Nothing more goes in (`put`), or nothing more will come out (`get`, `take`)."""


class WhenFull(Enum):
    """What `put` does when there is no room."""

    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"


def no_beat() -> None:
    """For callers without a heartbeat."""


class Channel(Generic[T]):
    """First in, first out; any number of threads on either side.

    Closing refuses further items, wakes everyone, and lets consumers take what is left:
    `for item in channel` ends after the last. Every item put is either taken, dropped or still waiting.
    """

    def __init__(self, capacity: int, when_full: WhenFull) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: expected 1 or more, got {capacity}")
        self._capacity = capacity
        self._when_full = when_full
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._drops = 0

    @property
    def depth(self) -> int:
        """How many items wait."""
        return len(self._items)

    @property
    def drops(self) -> int:
        """How many items were dropped for lack of room, ever."""
        return self._drops

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called; items may still wait."""
        return self._is_closed

    def put(self, item: T, beat: Beat = no_beat) -> T | None:
        """Hand an item over; with BLOCK, wait for room for as long as it takes, beating meanwhile.

        Returns:
            The oldest item where it was dropped to make room, else None.

        Raises:
            ChannelClosed: the channel is closed or was closed while waiting; the item was not taken over.
        """
        with self._changed:
            while self._when_full is WhenFull.BLOCK and self._is_full() and not self._is_closed:
                self._changed.wait(WAIT_SLICE_S)
                beat()
            if self._is_closed:
                raise ChannelClosed
            dropped = self._drop_oldest() if self._is_full() else None
            self._items.append(item)
            self._changed.notify_all()
            return dropped

    def get(self, timeout_s: float | None = None, beat: Beat = no_beat) -> T:
        """Take the oldest item, waiting for one at most `timeout_s` (None: as long as it takes), beating meanwhile.

        Raises:
            ChannelClosed: closed and empty: the end.
            TimeoutError: nothing came in time.
        """
        give_up_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not self._items:
                if self._is_closed:
                    raise ChannelClosed
                self._changed.wait(_slice_until(give_up_s))
                beat()
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def items(self, beat: Beat = no_beat) -> Iterator[T]:
        """Every item until the channel is closed and empty, beating at least each slice and each item."""
        while True:
            try:
                item = self.get(beat=beat)
            except ChannelClosed:
                return
            beat()
            yield item

    def __iter__(self) -> Iterator[T]:
        return self.items()

    def close(self) -> None:
        """Refuse further items and wake everyone; may be called twice and by any thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._items) >= self._capacity

    def _drop_oldest(self) -> T:
        self._drops += 1
        return self._items.popleft()


def _slice_until(give_up_s: float | None) -> float:
    """Seconds to wait now; raises TimeoutError when the time is over."""
    if give_up_s is None:
        return WAIT_SLICE_S
    left_s = give_up_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return min(left_s, WAIT_SLICE_S)
