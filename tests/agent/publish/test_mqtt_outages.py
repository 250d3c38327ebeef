"""Every event arrives, in sequence, whatever a real broker does."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.brokers import mqtt_sink, until
from fakes.events import NOON, RUN_ID, metric, teller
from fakes.payload_schemas import of_topic
from fakes.publish_line import Line, arrived, sequences, states
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from servers.ports import free_port

from agent.publish.status import CameraState, CameraStatus
from agent.settings.types import Secret

pytestmark = pytest.mark.mosquitto

REPOSITORY = Path(__file__).resolve().parents[3]
LOGIN: dict[str, Any] = {"username": "box", "password": Secret("open sesame")}
CAMERA = CameraStatus("depot", "gate", RUN_ID, CameraState.ONLINE, NOON, fps=10.0)


def test_a_broker_that_is_absent_at_the_start_is_no_error(tmp_path: Path) -> None:
    """Events wait; when the broker appears they arrive in order after the birth."""
    broker = Mosquitto(tmp_path / "broker")
    with Line(tmp_path, broker) as sent:
        sent.accept(50)
        until(lambda: metric(sent.teller, "mqtt_reconnects_total", reason="refused") >= 2, "two attempts")
        assert sent.outbox.size().events == 50
        with broker, Subscriber(broker) as subscriber:
            subscriber.wait(arrived(50))

    assert sequences(subscriber.messages) == list(range(1, 51))


def test_a_name_that_does_not_resolve_is_told(tmp_path: Path) -> None:
    """It is unreachable, not refused."""
    told = teller()
    nowhere = Mosquitto(tmp_path / "broker")
    nowhere.host = "broker.invalid"
    sink = mqtt_sink(nowhere, told)
    sink.start()
    until(lambda: metric(told, "mqtt_reconnects_total", reason="unreachable") >= 1, "told")
    sink.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_comes_back_gets_every_event_in_sequence(tmp_path: Path, end: str, protocol: str) -> None:
    """Three times stopped (or killed) and started in the flow: nothing is missing, the order holds, births follow."""
    # A killed mosquitto loses what it acknowledged and had not passed on; the subscriber here has no such backlog.
    with (
        Mosquitto(tmp_path / "broker", more="max_inflight_messages 0") as broker,
        Subscriber(broker) as subscriber,
        Line(tmp_path, broker, protocol=protocol) as sent,
    ):
        subscriber.wait(lambda messages: len(messages) >= 1)
        broker.save()  # the subscriber's session, for it to be there after a kill
        flow = threading.Thread(target=sent.accept, args=(240, 0.005), name="flow")
        flow.start()
        for turn in range(1, 4):
            subscriber.wait(arrived(turn * 40))
            getattr(broker, end)()
            time.sleep(0.15)
            broker.start()
        flow.join()
        subscriber.wait(arrived(240))
        births = states(subscriber).count("online")

    assert sequences(subscriber.messages) == list(range(1, 241))
    assert births >= 4
    for message in subscriber.messages:
        of_topic(message.topic).validate(message.json())


def test_a_frozen_broker_is_noticed_and_its_events_sent_again(tmp_path: Path) -> None:
    """Silence beyond the keepalive ends the connection; after it every event arrives."""
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Line(tmp_path, broker, keepalive="5s") as sent,
    ):
        until(lambda: sent.sink.is_connected, "connected")
        sent.sink._connection._address = sent.sink._connection._address._replace(keepalive_s=1)
        broker.restart()
        until(lambda: sent.sink.is_connected, "connected again")
        broker.freeze()
        sent.accept(20)
        until(lambda: metric(sent.teller, "mqtt_reconnects_total", reason="timeout") >= 1, "noticed", 15.0)
        broker.thaw()
        subscriber.wait(arrived(20))

    assert sequences(subscriber.messages) == list(range(1, 21))


def test_closing_is_quick_while_the_broker_is_away(tmp_path: Path) -> None:
    """A stop does not wait for the next attempt."""
    nowhere = Mosquitto(tmp_path / "broker")
    nowhere.port = free_port()
    sink = mqtt_sink(nowhere, teller())
    sink.start()
    began = time.monotonic()
    sink.close()
    sink.close()

    assert time.monotonic() - began < 3.0
