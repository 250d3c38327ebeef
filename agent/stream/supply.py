"""Where a source takes its raw items from: straight from a generator, or from one that runs in a thread of its own.

FFmpeg and OpenCV block while they open and read, and nothing stops them safely from outside before their own
time-outs do. Whoever must be stoppable therefore waits beside such a call, not in it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)
JOIN_S = 0.3


class Ended(Exception):  # noqa: N818 - like StopIteration: not an error
    """There are no more items."""


class Closed(Exception):  # noqa: N818 - not an error either
    """Somebody called `close`."""


class Supply(Protocol[Item_co]):
    """Items in order, for one consumer.

    `take` raises what the generator raised, once, then and at its end `Ended`, and `Closed` after `close`. `close` may
    be called by any thread and twice, and wakes a waiting `take`.
    """

    def take(self, timeout_s: float) -> Item_co | None:
        """The next item, or None when there is none within the time (a straight supply may block longer)."""

    def close(self) -> None:
        """End it."""


class StraightSupply(Generic[Item]):
    """Runs the generator in the consumer's thread: for files, which do not block."""

    def __init__(self, items: Generator[Item]) -> None:
        self._items = items
        self._is_closed = threading.Event()

    def take(self, timeout_s: float) -> Item | None:  # noqa: ARG002 - a file answers at once
        """The next item."""
        if self._is_closed.is_set():
            raise Closed
        try:
            return next(self._items)
        except StopIteration:
            raise Ended from None

    def close(self) -> None:
        """End it; a running `take` still gives its item."""
        self._is_closed.set()
        # Refused when another thread is inside the generator, which then ends at the next `take`.
        with suppress(ValueError):
            self._items.close()


class DetachedSupply(Generic[Item]):
    """Runs the generator in a daemon thread of its own, a bounded number of items ahead.

    When the consumer is slow the thread waits, so what it reads from is slowed down (its server drops, or its
    buffer does). After `close` the thread ends with the blocking call that it is in, bounded by that call's own
    time-out, and closes its generator; nobody else touches it.
    """

    def __init__(self, name: str, make_items: Callable[[], Generator[Item]], *, capacity: int) -> None:
        self._make_items = make_items
        self._capacity = capacity
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._end: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to run the generator; called once."""
        self._thread.start()

    def take(self, timeout_s: float) -> Item | None:
        """The next item, or None when there is none within the time."""
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_s)
            if self._is_closed:
                raise Closed
            if self._waiting:
                self._changed.notify_all()
                return self._waiting.popleft()
            end, self._end = self._end, None
            if end is None:
                return None
            self._end = Ended()
        try:
            raise end
        finally:
            # What is raised holds this frame, and decoder and pictures with it; held here too it would be a ring, which
            # is not freed before the collector comes, and that knows nothing of how large decoders are.
            del end

    def close(self) -> None:
        """End it, and wait a moment for the thread, which mostly is just about to turn."""
        with self._changed:
            self._is_closed = True
            self._end = None
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def _has_news(self) -> bool:
        return bool(self._is_closed or self._waiting or self._end is not None)

    def _run(self) -> None:
        try:
            with closing(self._make_items()) as items:
                is_wanted = all(self._put(item) for item in items)
            if is_wanted:
                self._finish(Ended())
        except Exception as error:  # noqa: BLE001 - the thread's outermost loop: the consumer raises it
            self._finish(error)

    def _put(self, item: Item) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._waiting) < self._capacity)
            if not self._is_closed:
                self._waiting.append(item)
                self._changed.notify_all()
            return not self._is_closed

    def _finish(self, end: BaseException) -> None:
        with self._changed:
            self._end = None if self._is_closed else end
            self._changed.notify_all()
