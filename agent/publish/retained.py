"""The newest value of every retained topic, so that each connection can begin by telling them all."""

from __future__ import annotations

import threading

from agent.publish.message import Message


class Retained:
    """What each status topic shall say, and whether the broker knows; any thread may use it.

    Only the newest value of a topic is ever sent. Topics are told in the order of their first value.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}
        self._in_flight: dict[str, int] = {}

    def put(self, message: Message) -> None:
        """Say this from now on."""
        with self._changed:
            self._newest[message.topic] = message.payload
            self._unsent[message.topic] = None

    def take(self) -> Message | None:
        """The next to be sent; it counts as in flight from now on."""
        with self._changed:
            if not self._unsent:
                return None
            topic = next(iter(self._unsent))
            del self._unsent[topic]
            self._in_flight[topic] = self._in_flight.get(topic, 0) + 1
            return Message(topic, self._newest[topic])

    def settle(self, topic: str) -> None:
        """The broker has acknowledged a value."""
        with self._changed:
            count = self._in_flight.pop(topic, 0)
            if count > 1:
                self._in_flight[topic] = count - 1
            self._changed.notify_all()

    def begin_anew(self) -> None:
        """A connection begins: everything is to be told again."""
        with self._changed:
            self._in_flight.clear()
            self._unsent = dict.fromkeys(self._newest)

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until the broker knows all, at most so long; whether it does."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unsent and not self._in_flight, timeout_s)
