"""Events on their way to the broker, between the thread that waits for them and the one that sends them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import Enum

from agent.publish.message import Message
from agent.publish.mqtt_failure import Verdict


class _Stage(Enum):
    WAITING = "waiting"
    IN_FLIGHT = "in flight"


class Deliveries:
    """What is to be sent, what is sent and not acknowledged, and the verdicts nobody has asked for yet.

    Any thread may use it. Keys are the events' sequence numbers; it holds at most the batches that were offered.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: dict[int, tuple[Message, _Stage]] = {}
        self._verdicts: dict[int, Verdict] = {}

    def offer(self, batch: dict[int, Message]) -> None:
        """Ask for these to be sent, in this order; what is already on its way is not sent again.

        What no longer stands in the batch and is not in flight is forgotten: the outbox has dropped it.
        """
        with self._changed:
            in_flight = {key: entry for key, entry in self._open.items() if entry[1] is _Stage.IN_FLIGHT}
            self._verdicts = {key: verdict for key, verdict in self._verdicts.items() if key in batch}
            waiting = {key: (m, _Stage.WAITING) for key, m in batch.items() if key not in self._verdicts}
            self._open = {**waiting, **in_flight}

    def take(self) -> tuple[int, Message] | None:
        """The first that waits; it counts as in flight from now on."""
        with self._changed:
            for key, (message, stage) in self._open.items():
                if stage is _Stage.WAITING:
                    self._open[key] = (message, _Stage.IN_FLIGHT)
                    return key, message
        return None

    def settle(self, key: int, verdict: Verdict) -> None:
        """The broker has answered."""
        with self._changed:
            if self._open.pop(key, None) is not None:
                self._verdicts[key] = verdict
                self._changed.notify_all()

    def lost(self) -> int:
        """The connection is gone: all that was in flight waits again, in its old order; how many."""
        with self._changed:
            in_flight = [key for key, (_, stage) in self._open.items() if stage is _Stage.IN_FLIGHT]
            for key in in_flight:
                self._open[key] = (self._open[key][0], _Stage.WAITING)
            return len(in_flight)

    def collect(self, keys: Iterable[int], timeout_s: float) -> dict[int, Verdict]:
        """Wait until all of these are answered, at most so long; the verdicts there are, each given once."""
        wanted = set(keys)
        with self._changed:
            self._changed.wait_for(lambda: self._verdicts.keys() >= wanted, timeout_s)
            return {key: self._verdicts.pop(key) for key in wanted & self._verdicts.keys()}
