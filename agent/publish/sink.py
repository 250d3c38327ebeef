"""The seam for where events go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.publish.stored import StoredEvent


@dataclass(frozen=True)
class Delivery:
    """What became of a batch, by `sequence`; what is in neither must be sent again.

    Attributes:
        accepted: the receiver has them for good.
        rejected: the receiver will never take them.
    """

    accepted: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()


class EventSink(Protocol):
    """Hands events to the outside. Called by one thread, `close` last; `close` may be called twice."""

    def send(self, batch: Sequence[StoredEvent]) -> Delivery:
        """Hand over events, in the order given, and say what became of them.

        Returns within about a second, even when the receiver is away: then with fewer events or none. An event that
        is neither accepted nor rejected is given again, unchanged, with the next batch; the sink may still be busy
        with it, and then does not send it twice.

        Raises:
            SinkError: it will never work again; what does work again some time is no error.
        """

    def close(self) -> None:
        """Let go of the receiver. Never raises."""
