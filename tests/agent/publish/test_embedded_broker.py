"""The broker for trying out: real clients, and errors that say what to do."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from fakes.brokers import mqtt_sink, until
from fakes.events import event, teller
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from servers.ports import free_port

from agent.errors import PortInUseError, SettingsError
from agent.publish.embedded_broker import EmbeddedBroker
from agent.publish.payload import event_payload
from agent.publish.stored import StoredEvent


def test_events_go_through_it(tmp_path: Path) -> None:
    """A subscriber gets what the sink sends, in order, and the retained status; it can be started again."""
    address = Mosquitto(tmp_path)  # never started: only where the clients look
    for _ in range(2):
        broker = EmbeddedBroker(address.port)
        broker.start()
        sink = mqtt_sink(address, teller(), protocol="3.1.1")
        sink.start()
        until(lambda sink=sink: sink.is_connected, "connected")
        with Subscriber(address, version="3.1.1") as subscriber:
            batch = [StoredEvent(n, f"id-{n}", "gate", event_payload(event(n), n)) for n in range(1, 51)]
            assert sink.send(batch).accepted == tuple(range(1, 51))
            subscriber.wait(lambda messages: len(messages) >= 51)
        sink.close()
        broker.stop()
        broker.stop()

        assert [m.json()["sequence"] for m in subscriber.on("events")] == list(range(1, 51))
        assert [m.json()["state"] for m in subscriber.on("status")] == ["online"]


def test_it_listens_on_this_machine_only() -> None:
    """Nobody from outside can reach a broker without passwords."""
    broker = EmbeddedBroker(free_port())
    broker.start()
    with socket.socket() as other:
        other.settimeout(1.0)
        refused = other.connect_ex(("127.0.0.2", broker.port))
    broker.stop()

    assert refused != 0


def test_a_port_that_is_taken_is_told() -> None:
    """With what could be done about it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortInUseError, match=r"another program does.*embedded_broker_port"):
            EmbeddedBroker(other.getsockname()[1]).start()


def test_the_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)

    with pytest.raises(SettingsError, match=r"sitewatch\[demo\]"):
        EmbeddedBroker(free_port()).start()
