"""The MQTT sink against a real broker: logins, statuses, and every trouble a broker can make."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.brokers import TOPICS, mqtt_sink, until
from fakes.events import NOON, RUN_ID, event, frame_info, metric, teller, tracked_frame
from fakes.payload_schemas import of_topic
from servers.mosquitto import Mosquitto, free_port
from servers.mqtt_subscriber import Received, Subscriber

from agent.clock import SystemClock
from agent.errors import SettingsError, SinkError
from agent.publish.mqtt_sink import MqttSink
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import detections_payload, event_payload
from agent.publish.publisher import Publisher
from agent.publish.status import CameraState, CameraStatus, SiteState, SiteStatus
from agent.publish.stored import StoredEvent
from agent.settings.models import BrokerSettings, TlsSettings, TlsVerification
from agent.settings.types import Secret
from agent.telemetry.publish import PublishHappenings

pytestmark = pytest.mark.mosquitto

REPOSITORY = Path(__file__).resolve().parents[3]
LOGIN: dict[str, Any] = {"username": "box", "password": Secret("open sesame")}
CAMERA = CameraStatus("home", "gate", RUN_ID, CameraState.ONLINE, NOON, fps=10.0)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A plain one, running."""
    with Mosquitto(tmp_path / "broker") as made:
        yield made


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
    return [message.json()["state"] for message in subscriber.on("home/status")]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_every_kind_of_message_arrives_and_fits_its_schema(broker: Mosquitto, tmp_path: Path, protocol: str) -> None:
    """Statuses, events and detections, over both versions of MQTT, each on its topic."""
    with Subscriber(broker) as subscriber, Line(tmp_path, broker, protocol=protocol) as sent:
        until(lambda: sent.sink.is_connected, "connected")
        sent.sink.publish_camera_status(CAMERA)
        sent.accept(20)
        sent.sink.publish_detections("gate", detections_payload("home", RUN_ID, tracked_frame(frame_info(), {1: 0.5})))
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


def test_tls_with_password_and_client_certificate(tmp_path: Path) -> None:
    """The broker proves itself, we do so by certificate and by password, and events arrive."""
    with Mosquitto(
        tmp_path / "broker", tls=True, user="box", password="open sesame", wants_client_certificate=True
    ) as broker:
        tls = TlsSettings(
            ca_file=broker.ca_file, client_cert_file=broker.client_cert_file, client_key_file=broker.client_key_file
        )
        with Line(tmp_path, broker, tls=tls, **LOGIN) as sent:
            sent.accept(200)
            assert sent.publisher.flush(10.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": Secret("wrong")}, "unauthorised"),
        ({"username": None, "password": None}, "unauthorised"),
        ({"tls": "other"}, "tls"),
        ({"tls": None}, "lost"),
    ],
)
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_wrong_is_told_apart(tmp_path: Path, changes: dict[str, Any], reason: str, protocol: str) -> None:
    """A wrong password, none, a broker we do not trust and plain TCP towards TLS each have their reason."""
    told = teller()
    with Mosquitto(tmp_path / "broker", tls=True, user="box", password="open sesame") as broker:
        settings = {**LOGIN, "tls": TlsSettings(ca_file=broker.ca_file), "protocol": protocol, **changes}
        if settings["tls"] == "other":
            settings["tls"] = TlsSettings(ca_file=broker.other_ca_file)
        sink = mqtt_sink(broker, told, **settings)
        sink.start()
        until(lambda: metric(told, "mqtt_reconnects_total", reason=reason) >= 1, reason)
        assert not sink.is_connected
        assert metric(told, "mqtt_connected") == 0
        sink.close()


def test_a_broker_need_not_prove_itself_where_that_is_off(tmp_path: Path) -> None:
    """`verify: off` connects whoever vouches for the broker."""
    with Mosquitto(tmp_path / "broker", tls=True) as broker:
        sink = mqtt_sink(broker, teller(), tls=TlsSettings(ca_file=broker.other_ca_file, verify=TlsVerification.OFF))
        sink.start()
        until(lambda: sink.is_connected, "connected")
        sink.close()


@pytest.mark.parametrize("wrong", ["ca_file", "client_cert_file"])
def test_certificates_that_cannot_be_used_are_settings_errors(broker: Mosquitto, tmp_path: Path, wrong: str) -> None:
    """The error names the key of the site file and the file."""
    (tmp_path / "no.pem").write_text("no certificate")
    files = {"ca_file": None, "client_cert_file": None, wrong: tmp_path / "no.pem"}
    key = tmp_path / "no.pem" if wrong == "client_cert_file" else None
    sink = mqtt_sink(broker, teller(), tls=TlsSettings(client_key_file=key, **files))

    with pytest.raises(SettingsError, match=rf"broker\.tls\.{wrong}: .*no\.pem"):
        sink.start()
    sink.close()


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


def test_a_second_client_with_our_id_is_told(broker: Mosquitto) -> None:
    """The one that is thrown off says why, and does not throw the other off in return at once."""
    told = teller()
    first = mqtt_sink(broker, told, client_id="same")
    first.start()
    until(lambda: first.is_connected, "connected")
    second = mqtt_sink(broker, teller(), client_id="same")
    second.start()
    until(lambda: metric(told, "mqtt_reconnects_total", reason="taken_over") >= 1, "told")
    second.close()
    until(lambda: first.is_connected, "connected again")
    first.close()


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


def test_a_topic_we_may_not_write_is_told_and_tried_again(tmp_path: Path) -> None:
    """An event the broker refuses stays in the outbox until it is allowed."""
    rules = tmp_path / "rules"
    rules.write_text("topic write sitewatch/home/status\ntopic write sitewatch/home/yard/#\n")
    with Mosquitto(tmp_path / "broker", more=f"acl_file {rules}") as broker, Line(tmp_path, broker) as sent:
        sent.accept(2)
        until(lambda: metric(sent.teller, "messages_total", kind="event", outcome="refused") >= 1, "told")
        until(lambda: sent.outbox.size().events == 1, "the other one through")
        rules.write_text("topic write sitewatch/#\n")
        broker._signal(signal.SIGHUP)

        assert sent.publisher.flush(10.0)


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
    here = SiteStatus("home", SiteState.ONLINE, NOON, "0.1.0", RUN_ID)
    sink = MqttSink(
        BrokerSettings(host="127.0.0.1", port=port), "killed", TOPICS, here, SystemClock(), random.Random(1),
        PublishHappenings(teller()),
    )  # fmt: skip
    sink.start()
    threading.Event().wait()


if __name__ == "__main__":
    _connect_for_ever(int(sys.argv[1]))
