"""Whatever a broker says: the connection ends with one of our reasons, and the next, good one brings every event."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.brokers import until
from fakes.events import teller
from fakes.publish_line import Line, arrived, sequences
from fuzz.effort import effort
from fuzz.hostile_server import HostileServer
from fuzz.mutation import spoilt
from fuzz.silence import SECRET, assert_silent
from hypothesis import given
from hypothesis import strategies as st
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber

from agent.clock import SystemClock
from agent.publish.certificate_watch import CertificateWatch
from agent.publish.message import Message
from agent.publish.mqtt_client import make_client
from agent.publish.mqtt_failure import BrokerFailure
from agent.publish.mqtt_session import BrokerAddress, MqttSession
from agent.publish.outgoing import Outgoing
from agent.publish.wake import Wake
from agent.settings.models import BrokerSettings
from agent.settings.types import Secret
from agent.telemetry.publish import PublishHappenings

USER = "box"
# Packets of MQTT 5 and 3.1.1 that are good in themselves: type and flags, what follows.
PUBACK = 0x40
CONNACK_5, CONNACK_3 = b"\x20\x03\0\0\0", b"\x20\x02\0\0"
PACKETS = (
    CONNACK_5, CONNACK_3, b"\x20\x06\0\0\x03\x21\0\x01", b"\x40\x02\0\x01", b"\x40\x04\0\x01\x87\0", b"\x40\x02\0\x02",
    b"\xe0\x02\x8e\0", b"\xe0\x00", b"\xd0\x00",
    b"\x90\x04\0\x01\0\0", b"\x30\x05\0\x01a\0x", b"\x32\x07\0\x01a\0\x05\0x",
    b"\x34\x07\0\x01a\0\x05\0x", b"\x62\x02\0\x01", b"\x50\x02\0\x01",
    b"\x70\x02\0\x01", b"\xf0\x02\x18\0", b"\xc0\x00",
    b"\x10\x00", b"\x82\x02\0\x01", b"\x00\x00", b"\x30\xff\xff\xff\x7f",
)  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> list[bytes]:
    """What a broker says to CONNECT and to what comes after it."""
    accepts = draw(st.sampled_from((CONNACK_5, CONNACK_3, b"")))
    packets = b"".join(draw(st.lists(st.sampled_from(PACKETS), max_size=5)))
    first = accepts + draw(st.one_of(spoilt(packets, PACKETS), st.binary(max_size=60), _reasoned()))
    return [first, *draw(st.lists(st.binary(max_size=30), max_size=2))]


@st.composite
def _reasoned(draw: st.DrawFn) -> bytes:
    """A CONNACK, PUBACK or DISCONNECT with any reason and properties of MQTT 5."""
    body = bytes([draw(st.integers(0, 255))])
    properties = draw(st.binary(max_size=20))
    head = draw(st.sampled_from((b"\x20", b"\x40", b"\xe0")))
    body = {b"\x20": b"\0", b"\x40": struct.pack(">H", draw(st.integers(0, 3))), b"\xe0": b""}[head] + body
    body += bytes([draw(st.sampled_from((len(properties), 0, 127)))]) + properties
    return head + bytes([len(body)]) + body


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@effort(250)
@given(said=answers(), protocol=st.sampled_from(("5", "3.1.1")))
def test_any_answer(hostile: HostileServer, caplog: pytest.LogCaptureFixture, said: list[bytes], protocol: str) -> None:
    """The session ends with a kind of failure and a clause for people; nothing else comes out of it."""
    caplog.set_level(logging.DEBUG)
    hostile.answers = said
    settings = BrokerSettings(
        host="127.0.0.1", port=hostile.port, protocol=protocol, username=USER, password=Secret(SECRET)
    )
    outgoing, wake = Outgoing(), Wake()
    outgoing.statuses.put(Message("a/status", b"{}"))
    outgoing.events.offer({number: Message("a/events", b"{}") for number in range(1, 4)})
    client = make_client(settings, "fuzz", None, Message("a/status", b"off"))
    happened = PublishHappenings(teller())
    wake.open()
    session = MqttSession(
        client, BrokerAddress("127.0.0.1", hostile.port, 5), outgoing, wake, SystemClock(), happened,
        CertificateWatch(None, SystemClock(), happened),
    )  # fmt: skip
    try:
        failure = session.run()
    finally:
        wake.close()
        if (sock := client.socket()) is not None:
            sock.close()

    assert failure.kind in BrokerFailure
    assert failure.detail
    assert_silent(failure, caplog.text)
    caplog.clear()


@pytest.mark.mosquitto
def test_after_all_of_them_comes_a_good_one(tmp_path: Path) -> None:
    """At one address answers nonsense of every kind, then a broker: the same agent has lost nothing."""
    broker = Mosquitto(tmp_path / "broker")
    with Line(tmp_path, broker) as line:
        with HostileServer(broker.port) as server:
            line.accept(5)
            for packet in (each for each in PACKETS if each[0] != PUBACK):  # what is acknowledged is gone, by right
                before = server.visits
                server.answers = [CONNACK_5 + packet + b"\xff" * 9]
                until(lambda: server.visits > before, "it tried again")  # noqa: B023 - called at once
        with broker, Subscriber(broker) as subscriber:
            line.accept(5)
            subscriber.wait(arrived(10))

    assert sequences(subscriber.messages) == list(range(1, 11))
