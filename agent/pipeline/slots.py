"""One slot per camera in front of shared workers: the newest frame of each, served fairly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from agent.clock import Clock
from agent.pipeline.channel import WAIT_SLICE_S, Beat, ChannelClosed, WhenFull, no_beat

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Taken(Generic[T_co]):
    """One item out of a slot; `ticket` counts from 0 per key without gaps, in the order of taking."""

    key: str
    ticket: int
    item: T_co


class Drops(NamedTuple):
    """Items of one key that nobody took: a newer one replaced it, or it was too old when its turn came."""

    replaced: int
    stale: int


@dataclass
class _Slot(Generic[T]):
    """One key's place: at most one waiting item."""

    when_full: WhenFull
    waiting: list[tuple[T, float]]
    next_ticket: int = 0
    replaced: int = 0
    stale: int = 0
    is_closed: bool = False


class Slots(Generic[T]):
    """A hand-off of one item per key behind one lock; any number of threads on either side.

    Per key, DROP_OLDEST keeps the newest item (live cameras) and BLOCK makes the producer wait (clips played fast:
    nothing is lost). A key joins the queue when its slot fills and leaves it when served; a newer item keeps the place
    of the one it replaces. So the longest waiting key is served first, and nobody twice while another waits, whatever
    the rates.
    """

    def __init__(
        self,
        policies: Mapping[str, WhenFull],
        clock: Clock,
        *,
        max_age_s: float | None = None,
        on_stale: Callable[[str, T], None] | None = None,
    ) -> None:
        """Slots for the keys of `policies`.

        Args:
            policies: what each key's slot does when it is full.
            clock: tells how old an item is.
            max_age_s: a DROP_OLDEST item older than this when its turn comes is dropped; None: age does not matter.
            on_stale: called with key and item for each of those, by the taking thread, outside the lock.
        """
        self._slots: dict[str, _Slot[T]] = {key: _Slot(policy, []) for key, policy in policies.items()}
        self._clock = clock
        self._max_age_s = max_age_s
        self._on_stale = on_stale
        self._queue: dict[str, None] = {}  # keys in order of arrival; a dict is an ordered set with O(1) removal
        self._changed = threading.Condition()

    @property
    def depth(self) -> int:
        """How many slots hold an item."""
        return len(self._queue)

    def drops(self, key: str) -> Drops:
        """How many items of `key` were dropped so far, by reason."""
        with self._changed:
            return Drops(self._slots[key].replaced, self._slots[key].stale)

    def put(self, key: str, item: T, at_s: float | None = None, beat: Beat = no_beat) -> T | None:
        """Fill the slot of `key`; where it is full, replace (live) or wait for it to empty, beating (fast clips).

        Args:
            key: one of those given at the start.
            item: what to hand over.
            at_s: monotonic seconds the item's age counts from (its capture); None: now.
            beat: called at least each slice while waiting.

        Returns:
            The older item that was replaced, else None.

        Raises:
            ChannelClosed: this slot is closed or was closed while waiting; the item was not taken over.
        """
        slot = self._slots[key]
        born_s = self._clock.monotonic_s() if at_s is None else at_s
        with self._changed:
            while slot.when_full is WhenFull.BLOCK and slot.waiting and not slot.is_closed:
                self._changed.wait(WAIT_SLICE_S)
                beat()
            if slot.is_closed:
                raise ChannelClosed
            replaced = _emptied(slot)
            slot.waiting.append((item, born_s))
            self._queue.setdefault(key)
            self._changed.notify_all()
            return replaced

    def take(self, max_items: int = 1, budget_s: float = 0.0, beat: Beat = no_beat) -> list[Taken[T]]:
        """Wait for an item, then take what is there, waiting at most `budget_s` more for a full batch.

        A key whose newest item is in the batch already is not waited for, unless it is one that loses nothing.

        Returns:
            One to `max_items` items, the longest waiting key first.

        Raises:
            ChannelClosed: every slot is closed and empty: the end.
        """
        batch: list[Taken[T]] = []
        close_batch_s = 0.0
        while len(batch) < max_items:
            got, stale = self._take_there(max_items - len(batch))
            self._tell_stale(stale)
            if got and not batch:
                close_batch_s = time.monotonic() + budget_s
            batch += got
            if len(batch) >= max_items or not self._has_others({each.key for each in batch}):
                break
            if not self._wait_for_more(close_batch_s if batch else None, beat):
                break
        return batch

    def batches(self, max_items: int = 1, budget_s: float = 0.0, beat: Beat = no_beat) -> Iterator[list[Taken[T]]]:
        """`take` until the end, beating at least each slice and each batch."""
        while True:
            try:
                batch = self.take(max_items, budget_s, beat)
            except ChannelClosed:
                return
            beat()
            yield batch

    def close(self, key: str | None = None) -> None:
        """Refuse further items of `key` (None: of all) and wake everyone; what waits may still be taken."""
        with self._changed:
            for slot in self._slots.values() if key is None else [self._slots[key]]:
                slot.is_closed = True
            self._changed.notify_all()

    def _take_there(self, max_items: int) -> tuple[list[Taken[T]], list[tuple[str, T]]]:
        """What waits now, without waiting: fresh items, and stale ones that were passed over."""
        got: list[Taken[T]] = []
        stale: list[tuple[str, T]] = []
        with self._changed:
            while self._queue and len(got) < max_items:
                key = next(iter(self._queue))
                del self._queue[key]
                slot = self._slots[key]
                item, born_s = slot.waiting.pop()
                if self._is_stale(slot, born_s):
                    slot.stale += 1
                    stale.append((key, item))
                    continue
                got.append(Taken(key, slot.next_ticket, item))
                slot.next_ticket += 1
            self._changed.notify_all()
        return got, stale

    def _has_others(self, taken: set[str]) -> bool:
        """Whether more than what was taken may come within the time of a batch."""
        with self._changed:
            open_slots = [(key, slot) for key, slot in self._slots.items() if not slot.is_closed or slot.waiting]
            return not taken or any(key not in taken or slot.when_full is WhenFull.BLOCK for key, slot in open_slots)

    def _wait_for_more(self, give_up_s: float | None, beat: Beat) -> bool:
        """Wait until a slot fills; False when it is time to go with what was taken (`give_up_s` is over, or the end).

        Raises:
            ChannelClosed: the end, and nothing was taken.
        """
        with self._changed:
            while not self._queue:
                is_end = all(slot.is_closed for slot in self._slots.values())
                if is_end and give_up_s is None:
                    raise ChannelClosed
                left_s = WAIT_SLICE_S if give_up_s is None else give_up_s - time.monotonic()
                if is_end or left_s <= 0:
                    return False
                self._changed.wait(min(left_s, WAIT_SLICE_S))
                beat()
            return True

    def _is_stale(self, slot: _Slot[T], born_s: float) -> bool:
        if self._max_age_s is None or slot.when_full is WhenFull.BLOCK:
            return False
        return self._clock.monotonic_s() - born_s > self._max_age_s

    def _tell_stale(self, stale: list[tuple[str, T]]) -> None:
        if self._on_stale is not None:
            for key, item in stale:
                self._on_stale(key, item)


def _emptied(slot: _Slot[T]) -> T | None:
    if not slot.waiting:
        return None
    slot.replaced += 1
    return slot.waiting.pop()[0]
