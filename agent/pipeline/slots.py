"""One slot per camera in front of shared workers: the newest frame of each, served fairly."""

from __future__ import annotations

import math
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


class Tally(NamedTuple):
    """What became of the items of one key; what is in none of the three still waits. Only rises while a slot lasts."""

    taken: int
    replaced: int
    stale: int


@dataclass
class _Slot(Generic[T]):
    """One key's place: at most one waiting item, with the monotonic second from which on it is too old."""

    when_full: WhenFull
    waiting: list[tuple[T, float]]
    next_ticket: int = 0
    served_turn: int = 0
    replaced: int = 0
    stale: int = 0
    is_closed: bool = False


class Slots(Generic[T]):
    """A hand-off of one item per key behind one lock; any number of threads on either side.

    Per key, DROP_OLDEST keeps the newest item (live cameras) and BLOCK makes the producer wait (clips played fast:
    nothing is lost). Of the keys that wait, the one that was not served for longest comes first, so nobody comes twice
    while another waits. Whatever the rates, each has what it asks for up to an even share, and what some leave of
    theirs is shared by the rest. Where an item turned out too old, its key was not served, and comes first again.
    """

    def __init__(
        self,
        policies: Mapping[str, WhenFull],
        clock: Clock,
        *,
        on_stale: Callable[[str, T], None] | None = None,
    ) -> None:
        """Slots for the keys of `policies`.

        Args:
            policies: what each key's slot does when it is full.
            clock: tells how old an item is.
            on_stale: called with key and item for each that was too old when its turn came, by the taking thread,
                outside the lock.
        """
        self._slots: dict[str, _Slot[T]] = {key: _Slot(policy, []) for key, policy in policies.items()}
        self._clock = clock
        self._on_stale = on_stale
        self._retired: dict[str, int] = {}  # next ticket of keys whose slot was taken out
        self._queue: dict[str, None] = {}  # keys in order of arrival; a dict is an ordered set with O(1) removal
        self._turns = 0
        self._idle_s = 0.0
        self._changed = threading.Condition()

    @property
    def depth(self) -> int:
        """How many slots hold an item."""
        return len(self._queue)

    def drops(self, key: str) -> Drops:
        """How many items of `key` were dropped so far, by reason."""
        with self._changed:
            return Drops(self._slots[key].replaced, self._slots[key].stale)

    def tallies(self) -> dict[str, Tally]:
        """What became of every live key's items; keys whose producer waits are left out, they lose nothing."""
        with self._changed:
            return {
                key: Tally(slot.next_ticket, slot.replaced, slot.stale)
                for key, slot in self._slots.items()
                if slot.when_full is WhenFull.DROP_OLDEST
            }

    @property
    def idle_s(self) -> float:
        """Seconds that all takers together have waited for items so far."""
        return self._idle_s

    def put(
        self, key: str, item: T, at_s: float | None = None, beat: Beat = no_beat, *, max_age_s: float = math.inf
    ) -> T | None:
        """Fill the slot of `key`; where it is full, replace (live) or wait for it to empty, beating (fast clips).

        Args:
            key: one of those given at the start.
            item: what to hand over.
            at_s: monotonic seconds the item's age counts from (its capture); None: now.
            beat: called at least each slice while waiting.
            max_age_s: of a DROP_OLDEST slot, the item is dropped if it is older than this when its turn comes.

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
            slot.waiting.append((item, born_s + max_age_s))
            self._queue.setdefault(key)
            self._changed.notify_all()
            return replaced

    def add(self, key: str, policy: WhenFull) -> None:
        """Open a slot for `key`, or open its slot again; tickets go on where a slot of that name left off."""
        with self._changed:
            slot = self._slots.get(key)
            if slot is None:
                self._slots[key] = _Slot(policy, [], next_ticket=self._retired.pop(key, 0))
            else:
                slot.when_full, slot.is_closed = policy, False
            self._changed.notify_all()

    def retire(self, key: str) -> int:
        """Take a slot out, with what waits in it; nobody may put into it any more.

        Returns:
            One more ticket of its own, behind all that were taken: whoever restores the order behind the workers
            learns by it that nothing comes after.
        """
        with self._changed:
            slot = self._slots.pop(key)
            self._queue.pop(key, None)
            self._retired[key] = slot.next_ticket + 1
            self._changed.notify_all()
            return slot.next_ticket

    def renew(self, key: str, policy: WhenFull) -> int:
        """`retire` and `add` at once, so that a key which is the only one is never missed; the ticket of `retire`."""
        with self._changed:
            slot = self._slots[key]
            self._queue.pop(key, None)
            self._slots[key] = _Slot(policy, [], next_ticket=slot.next_ticket + 1)
            self._changed.notify_all()
            return slot.next_ticket

    def take(
        self,
        max_items: int = 1,
        budget_s: float = 0.0,
        beat: Beat = no_beat,
        is_over: Callable[[], bool] = lambda: False,
    ) -> list[Taken[T]]:
        """Wait for an item, then take what is there, waiting at most `budget_s` more for a full batch.

        A key whose newest item is in the batch already is not waited for, unless it is one that loses nothing.

        Returns:
            One to `max_items` items, the key that was not served for longest first.

        Raises:
            ChannelClosed: every slot is closed and empty: the end; or `is_over` says so, looked at every slice while
                nothing was taken.
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
            if not self._wait_for_more(close_batch_s if batch else None, beat, is_over):
                break
        return batch

    def batches(
        self,
        max_items: int = 1,
        budget_s: float = 0.0,
        beat: Beat = no_beat,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Iterator[list[Taken[T]]]:
        """`take` until the end, or until the taker's own end, beating at least each slice and each batch."""
        while not is_over():
            try:
                batch = self.take(max_items, budget_s, beat, is_over)
            except ChannelClosed:
                return
            beat()
            yield batch

    def drain(self, key: str, beat: Beat = no_beat, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Wait until what waits in the slot of `key` was taken; False where `is_over` said not to wait any more."""
        with self._changed:
            while self._slots[key].waiting and not is_over():
                self._changed.wait(WAIT_SLICE_S)
                beat()
            return not self._slots[key].waiting

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
                key = min(self._queue, key=lambda waiting: self._slots[waiting].served_turn)
                del self._queue[key]
                slot = self._slots[key]
                item, stale_at_s = slot.waiting.pop()
                if slot.when_full is WhenFull.DROP_OLDEST and self._clock.monotonic_s() > stale_at_s:
                    slot.stale += 1
                    stale.append((key, item))
                    continue
                got.append(Taken(key, slot.next_ticket, item))
                slot.next_ticket += 1
                self._turns += 1
                slot.served_turn = self._turns
            self._changed.notify_all()
        return got, stale

    def _has_others(self, taken: set[str]) -> bool:
        """Whether more than what was taken may come within the time of a batch."""
        with self._changed:
            open_slots = [(key, slot) for key, slot in self._slots.items() if not slot.is_closed or slot.waiting]
            return not taken or any(key not in taken or slot.when_full is WhenFull.BLOCK for key, slot in open_slots)

    def _wait_for_more(self, give_up_s: float | None, beat: Beat, is_over: Callable[[], bool]) -> bool:
        """Wait until a slot fills; False when it is time to go with what was taken (`give_up_s` is over, or the end).

        Raises:
            ChannelClosed: the end, and nothing was taken.
        """
        with self._changed:
            while not self._queue:
                is_end = all(slot.is_closed for slot in self._slots.values())
                if give_up_s is None and (is_end or is_over()):
                    raise ChannelClosed
                left_s = WAIT_SLICE_S if give_up_s is None else give_up_s - time.monotonic()
                if is_end or left_s <= 0:
                    return False
                began_s = time.monotonic()
                self._changed.wait(min(left_s, WAIT_SLICE_S))
                self._idle_s += time.monotonic() - began_s
                beat()
            return True

    def _tell_stale(self, stale: list[tuple[str, T]]) -> None:
        if self._on_stale is not None:
            for key, item in stale:
                self._on_stale(key, item)


def _emptied(slot: _Slot[T]) -> T | None:
    if not slot.waiting:
        return None
    slot.replaced += 1
    return slot.waiting.pop()[0]
