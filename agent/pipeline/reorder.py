"""Order restored behind parallel workers."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class TicketLostError(RuntimeError):
    """A worker neither delivered nor skipped a ticket, or delivered one twice: a bug in a stage."""


class _Line(Generic[T]):
    """One key: the ticket to go next and what came before its turn; None in `held` is a skipped ticket."""

    def __init__(self) -> None:
        self.next_ticket = 0
        self.held: dict[int, tuple[T] | None] = {}


class Reorder(Generic[T]):
    """Releases each key's items in the order of their tickets, 0, 1, 2, ...; used by one thread.

    Every ticket must be put or skipped in the end. At most `limit` tickets a key may wait for a missing one: as many
    as the other workers may do while one of them is slow.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit: expected 1 or more, got {limit}")
        self._limit = limit
        self._lines: dict[str, _Line[T]] = {}

    @property
    def depth(self) -> int:
        """How many tickets wait for an earlier one."""
        return sum(len(line.held) for line in self._lines.values())

    def allow(self, limit: int) -> None:
        """From now on at least this many may wait; any thread, before the workers that need it start."""
        self._limit = max(self._limit, limit)

    def put(self, key: str, ticket: int, item: T) -> list[T]:
        """An item arrives; returns what may go now, in order.

        Raises:
            TicketLostError: the ticket came before, or more than `limit` wait for a missing one.
        """
        return self._arrive(key, ticket, (item,))

    def skip(self, key: str, ticket: int) -> list[T]:
        """A ticket will never come (its work failed); returns what may go now, in order.

        Raises:
            TicketLostError: as `put`.
        """
        return self._arrive(key, ticket, None)

    def forget(self, key: str) -> None:
        """Let go of a key whose last ticket has come."""
        self._lines.pop(key, None)

    def rest(self) -> list[tuple[str, T]]:
        """All that still waits, in order per key, giving missing tickets up; for the end, after a worker died."""
        left = [
            (key, held[0])
            for key, line in self._lines.items()
            for _, held in sorted(line.held.items(), key=lambda pair: pair[0])
            if held is not None
        ]
        self._lines.clear()
        return left

    def _arrive(self, key: str, ticket: int, arrival: tuple[T] | None) -> list[T]:
        line = self._lines.setdefault(key, _Line())
        if ticket < line.next_ticket or ticket in line.held:
            raise TicketLostError(f"{key}: ticket {ticket} came twice; {line.next_ticket} was due")
        line.held[ticket] = arrival
        released = _release(line)
        if len(line.held) > self._limit:
            raise TicketLostError(f"{key}: ticket {line.next_ticket} never came; {len(line.held)} wait behind it")
        return released


def _release(line: _Line[T]) -> list[T]:
    released: list[T] = []
    while line.next_ticket in line.held:
        arrival = line.held.pop(line.next_ticket)
        line.next_ticket += 1
        if arrival is not None:
            released.append(arrival[0])
    return released
