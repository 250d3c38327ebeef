"""What the MQTT sink sends to a real broker, and what the broker says when we go."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.brokers import TOPICS, mqtt_sink, until
from fakes.events import NOON, RUN_ID, frame_info, metric, teller, tracked_frame
from fakes.payload_schemas import of_topic
from fakes.publish_line import Line, sequences, states
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber

from agent.clock import SystemClock
from agent.errors import SinkError
from agent.publish.mqtt_sink import MqttSink
from agent.publish.payload import detections_payload
from agent.publish.status import CameraState, CameraStatus, SiteState, SiteStatus
from agent.publish.stored import StoredEvent
from agent.settings.models import BrokerSettings
from agent.settings.types import Secret
from agent.telemetry.publish import PublishHappenings

pytestmark = pytest.mark.mosquitto

REPOSITORY = Path(__file__).resolve().parents[3]
LOGIN: dict[str, Any] = {"username": "box", "password": Secret("open sesame")}
CAMERA = CameraStatus("depot", "gate", RUN_ID, CameraState.ONLINE, NOON, fps=10.0)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_every_kind_of_message_arrives_and_fits_its_schema(broker: Mosquitto, tmp_path: Path, protocol: str) -> None:
    """Statuses, events and detections, over both versions of MQTT, each on its topic."""
    with Subscriber(broker) as subscriber, Line(tmp_path, broker, protocol=protocol) as sent:
        until(lambda: sent.sink.is_connected, "connected")
        sent.sink.publish_camera_status(CAMERA)
        sent.accept(20)
        sent.sink.publish_detections("gate", detections_payload("depot", RUN_ID, tracked_frame(frame_info(), {1: 0.5})))
        subscriber.wait(lambda messages: len(messages) >= 23)
    messages = subscriber.messages

    for message in messages:
        of_topic(message.topic).validate(message.json())
    assert sequences(messages) == list(range(1, 21))
    assert {m.topic for m in messages} == {
        TOPICS.site_status(), TOPICS.camera_status("gate"), TOPICS.events("gate"), TOPICS.events("yard"),
        TOPICS.detections("gate"),
    }  # fmt: skip
    assert {m.qos for m in messages if m.topic.endswith("detections")} == {0}


def test_statuses_are_there_for_who_comes_later(broker: Mosquitto) -> None:
    """Site and camera statuses are retained, events are not."""
    sink = mqtt_sink(broker, teller())
    sink.publish_camera_status(CAMERA)
    sink.start()
    until(lambda: sink.send([StoredEvent(1, "id", "gate", b"{}")]).accepted, "sent")
    with Subscriber(broker) as subscriber:
        subscriber.wait(lambda messages: len(messages) >= 2)
        retained = {message.topic: message.is_retained for message in subscriber.messages}
    sink.close()

    assert retained == {TOPICS.site_status(): True, TOPICS.camera_status("gate"): True}


def test_a_clean_stop_says_stopped(broker: Mosquitto) -> None:
    """Birth is `online`, a clean end `stopped`, and no will follows."""
    with Subscriber(broker, TOPICS.site_status()) as subscriber:
        sink = mqtt_sink(broker, teller())
        sink.start()
        subscriber.wait(lambda messages: len(messages) == 1)
        sink.close()
        subscriber.wait(lambda messages: len(messages) == 2)
        with Subscriber(broker, TOPICS.site_status(), client_id="later") as later:
            later.wait(lambda messages: len(messages) == 1)

    assert states(subscriber) == ["online", "stopped"]
    assert states(later) == ["stopped"]


def test_the_will_tells_when_the_process_is_killed(broker: Mosquitto) -> None:
    """After SIGKILL the broker says `offline`, retained, in our schema."""
    with Subscriber(broker, TOPICS.site_status()) as subscriber:
        process = subprocess.Popen(
            [sys.executable, __file__, str(broker.port)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"},
        )
        subscriber.wait(lambda messages: len(messages) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        subscriber.wait(lambda messages: len(messages) == 2)

    assert states(subscriber) == ["online", "offline"]
    for message in subscriber.messages:
        of_topic(message.topic).validate(message.json())


def test_only_the_newest_status_survives_an_outage(broker: Mosquitto) -> None:
    """What changed several times while the broker was away is told once, as it is now."""
    sink = mqtt_sink(broker, teller())
    sink.start()
    until(lambda: sink.is_connected, "connected")
    broker.stop()
    until(lambda: not sink.is_connected, "disconnected")
    for state in (CameraState.OFFLINE, CameraState.CONNECTING, CameraState.ONLINE):
        sink.publish_camera_status(replace(CAMERA, state=state))
    broker.start()
    with Subscriber(broker, TOPICS.camera_status("gate")) as subscriber:
        subscriber.wait(lambda messages: len(messages) >= 1)
        sink.close()

    assert [message.json()["state"] for message in subscriber.messages] == ["online"]


def test_detections_are_dropped_and_counted_while_there_is_no_broker(tmp_path: Path) -> None:
    """They are worth nothing late; neither memory nor disk keeps them."""
    told = teller()
    sink = mqtt_sink(Mosquitto(tmp_path / "broker"), told)
    sink.start()
    for _ in range(100):
        sink.publish_detections("gate", b"{}")
    sink.close()

    assert metric(told, "messages_total", kind="detections", outcome="dropped") == 100
    assert sink._outgoing.take_passing() is None


def test_detections_to_a_frozen_broker_stay_bounded(broker: Mosquitto) -> None:
    """When the socket takes no more the oldest are dropped and counted, and memory stays as it is."""
    told = teller()
    sink = mqtt_sink(broker, told)
    sink.start()
    until(lambda: sink.is_connected, "connected")
    broker.freeze()
    for _ in range(400):
        sink.publish_detections("gate", b"x" * 100_000)
        time.sleep(0.0005)
    dropped = metric(told, "messages_total", kind="detections", outcome="dropped")
    broker.thaw()
    sink.close()

    assert dropped > 200


def test_a_bug_in_the_connection_reaches_the_publisher(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread does not end unseen: the next `send` raises, so that the process can be started anew."""
    sink = mqtt_sink(broker, teller())
    monkeypatch.setattr(sink._connection, "_run_session", lambda: 1 / 0)
    sink.start()
    until(lambda: sink._connection.error, "ended")

    with pytest.raises(SinkError, match="bug"):
        sink.send([])
    sink.close()


def _connect_for_ever(port: int) -> None:
    """What the process does that a test kills."""
    here = SiteStatus("depot", SiteState.ONLINE, NOON, "0.1.0", RUN_ID)
    sink = MqttSink(
        BrokerSettings(host="127.0.0.1", port=port), "killed", TOPICS, here, SystemClock(), random.Random(1),
        PublishHappenings(teller()),
    )  # fmt: skip
    sink.start()
    threading.Event().wait()


if __name__ == "__main__":
    _connect_for_ever(int(sys.argv[1]))
