"""Outbox, publisher and MQTT sink towards a real broker, as the agent runs them, and what a subscriber saw of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.brokers import mqtt_sink
from fakes.events import event, teller
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Received, Subscriber

from agent.clock import SystemClock
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.publish.publisher import Publisher
from agent.telemetry.publish import PublishHappenings


class Line:
    """Outbox, publisher with its thread, and sink, as the agent runs them."""

    def __init__(self, folder: Path, broker: Mosquitto, **settings: Any) -> None:
        self.teller = teller()
        happened = PublishHappenings(self.teller)
        self.sink = mqtt_sink(broker, happened, **settings)
        self.outbox = Outbox(folder / "outbox.db", OutboxLimits(10**8, 1e6), SystemClock(), happened, event_payload)
        self.publisher = Publisher(self.outbox, self.sink, SystemClock(), happened)
        self._thread = threading.Thread(target=self.publisher.run, args=(lambda: None,), name="publish")
        self._count = 0

    def __enter__(self) -> Line:
        self.outbox.open()
        self.sink.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.stop()
        self._thread.join(10.0)
        self.sink.close()
        self.outbox.close()

    def accept(self, count: int, pause_s: float = 0.0) -> None:
        """Make so many events, one at a time."""
        for _ in range(count):
            self._count += 1
            self.publisher.accept([event(self._count, camera_id=("gate", "yard")[self._count % 2])])
            if pause_s:
                time.sleep(pause_s)


def sequences(messages: list[Received]) -> list[int]:
    """Of the events among them, doubles by event id left out."""
    seen = {
        message.json()["event_id"]: message.json()["sequence"]
        for message in messages
        if message.topic.endswith("events")
    }
    return list(seen.values())


def arrived(count: int) -> Callable[[list[Received]], bool]:
    """Whether so many different events are there."""
    return lambda messages: len(messages) >= count and len(sequences(messages)) >= count


def states(subscriber: Subscriber) -> list[str]:
    """The site's states, as they were told."""
    return [message.json()["state"] for message in subscriber.on("depot/status")]
