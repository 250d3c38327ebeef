"""What every sink promises: see `agent.publish.sink.EventSink`."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from fakes.brokers import mqtt_sink, until
from fakes.event_sink import FakeEventSink
from fakes.events import event, teller
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber

from agent.publish.jsonl_sink import JsonlSink
from agent.publish.payload import event_payload
from agent.publish.sink import Delivery, EventSink
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings


class Receiver(Protocol):
    """A sink, and a view of its other end."""

    sink: EventSink

    def received(self, count: int) -> list[bytes]:
        """The payloads that arrived, once there are so many."""

    def go_away(self) -> None:
        """Take nothing any more."""

    def come_back(self) -> None:
        """Take everything again."""

    def close(self) -> None:
        """End what is not the sink's."""


class FakeReceiver:
    """The fake, as the others are seen."""

    def __init__(self, _folder: Path) -> None:
        self.fake = FakeEventSink()
        self.sink: EventSink = self.fake

    def received(self, count: int) -> list[bytes]:
        """At once."""
        assert len(self.fake.received) >= count
        return [item.payload for item in self.fake.received]

    def go_away(self) -> None:
        """As asked."""
        self.fake.is_away = True

    def come_back(self) -> None:
        """As asked."""
        self.fake.is_away = False

    def close(self) -> None:
        """Nothing is left."""


class FileReceiver:
    """A file; away it is the device that is always full."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.jsonl"
        self._jsonl = JsonlSink(str(self._path), io.BytesIO(), PublishHappenings(teller()))
        self._jsonl.start()
        self.sink: EventSink = self._jsonl
        self._kept = -1

    def received(self, count: int) -> list[bytes]:
        """The file's lines."""
        lines = self._path.read_bytes().splitlines()
        assert len(lines) >= count
        return lines

    def go_away(self) -> None:
        """Every write now answers that there is no space."""
        file = self._jsonl._file
        assert file is not None
        self._kept = os.dup(file.fileno())
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, file.fileno())
        os.close(full)

    def come_back(self) -> None:
        """The file again."""
        file = self._jsonl._file
        assert file is not None
        os.dup2(self._kept, file.fileno())
        os.close(self._kept)

    def close(self) -> None:
        """Nothing is left."""


class BrokerReceiver:
    """A real broker with a subscriber; away it is stopped."""

    def __init__(self, folder: Path) -> None:
        self._broker = Mosquitto(folder)
        self._broker.start()
        self._subscriber = Subscriber(self._broker, "sitewatch/depot/+/events").__enter__()
        mqtt = mqtt_sink(self._broker, teller())
        mqtt.start()
        until(lambda: mqtt.is_connected, "connected")
        self.sink: EventSink = mqtt

    def received(self, count: int) -> list[bytes]:
        """What the subscriber got."""
        return [message.payload for message in self._subscriber.wait(lambda messages: len(messages) >= count)]

    def go_away(self) -> None:
        """Stop it."""
        self._broker.stop()

    def come_back(self) -> None:
        """Start it."""
        self._broker.start()

    def close(self) -> None:
        """End both."""
        self._subscriber.__exit__(None, None, None)
        self._broker.stop()


@pytest.fixture(
    params=[
        FakeReceiver,
        pytest.param(FileReceiver, marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")),
        pytest.param(BrokerReceiver, marks=pytest.mark.mosquitto),
    ]
)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    """Each kind."""
    made: Receiver = request.param(tmp_path / "receiver" if request.param is BrokerReceiver else tmp_path)
    yield made
    made.sink.close()
    made.close()


def stored(*sequences: int) -> list[StoredEvent]:
    """Events as the outbox gives them."""
    return [StoredEvent(n, event(n).event_id, "gate", event_payload(event(n), n)) for n in sequences]


def send_all(sink: EventSink, batch: list[StoredEvent]) -> None:
    """As the publisher does: until all is accepted."""
    left = {item.sequence: item for item in batch}

    def turn() -> bool:
        for sequence in sink.send(list(left.values())).accepted:
            del left[sequence]
        return not left

    until(turn, "all accepted")


def test_what_is_accepted_has_arrived_in_order_and_unchanged(receiver: Receiver) -> None:
    """The receiver holds exactly the stored bytes, in the order given."""
    batches = [stored(1, 2, 3), stored(4), stored(*range(5, 205))]
    for batch in batches:
        send_all(receiver.sink, batch)

    assert receiver.received(204) == [item.payload for batch in batches for item in batch]


def test_an_empty_batch_is_no_matter(receiver: Receiver) -> None:
    """Nothing given, nothing accepted."""
    assert receiver.sink.send([]) == Delivery()


def test_a_receiver_that_is_away_loses_nothing(receiver: Receiver) -> None:
    """While it is away events are neither accepted nor rejected; when it is back each arrives once, in order."""
    send_all(receiver.sink, stored(1))
    receiver.received(1)
    receiver.go_away()
    away = [receiver.sink.send(stored(2, 3)) for _ in range(2)]
    receiver.come_back()
    send_all(receiver.sink, stored(2, 3))
    send_all(receiver.sink, stored(4))

    assert away == [Delivery(), Delivery()]
    assert receiver.received(4) == [item.payload for item in stored(1, 2, 3, 4)]


def test_closing_twice_is_no_matter(receiver: Receiver) -> None:
    """The second time nothing happens."""
    receiver.sink.close()
    receiver.sink.close()
