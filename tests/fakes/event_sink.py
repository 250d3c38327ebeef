"""A sink that keeps what it is given and takes as much as a test says."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agent.publish.sink import Delivery
from agent.publish.stored import StoredEvent


class FakeEventSink:
    """`EventSink` in memory; any thread may look at `received`.

    Attributes:
        received: what was accepted, in order.
        tries: the batches as they came.
        is_away: while true nothing is taken.
        refused_for_good: sequences that are rejected.
        is_closed: whether `close` was called.
    """

    def __init__(self) -> None:
        self.received: list[StoredEvent] = []
        self.tries: list[list[StoredEvent]] = []
        self.is_away = False
        self.refused_for_good: set[int] = set()
        self.is_closed = False
        self.turned = threading.Condition()

    def send(self, batch: Sequence[StoredEvent]) -> Delivery:
        """Take the batch, or nothing of it."""
        with self.turned:
            self.tries.append(list(batch))
            self.turned.notify_all()
            if self.is_away:
                return Delivery()
            accepted = [event for event in batch if event.sequence not in self.refused_for_good]
            self.received.extend(accepted)
            rejected = tuple(event.sequence for event in batch if event.sequence in self.refused_for_good)
            return Delivery(tuple(event.sequence for event in accepted), rejected)

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True
