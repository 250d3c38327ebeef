"""A subscriber that keeps its session at the broker and remembers all it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from servers.mosquitto import Mosquitto

SESSION_S = 600


class Received(NamedTuple):
    """One message as it arrived."""

    topic: str
    payload: bytes
    is_retained: bool
    qos: int

    def json(self) -> Any:
        """The payload, parsed."""
        return json.loads(self.payload)


class Subscriber:
    """Subscribes at QoS 1, with MQTT 5 or 3.1.1; comes back by itself when the broker does."""

    def __init__(
        self,
        broker: Mosquitto,
        topic: str = "#",
        *,
        user: str | None = None,
        password: str | None = None,
        client_id: str = "subscriber",
        version: str = "5",
    ) -> None:
        self._changed = threading.Condition()
        self._messages: list[Received] = []
        self._is_subscribed = False
        self._broker = broker
        self._topic = topic
        self._is_5 = version == "5"
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if self._is_5 else False,
            protocol=paho.MQTTv5 if self._is_5 else paho.MQTTv311,
        )
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # a float works
        if user is not None:
            self._client.username_pw_set(user, password)
        if broker.ca_file.exists():
            self._client.tls_set(str(broker.ca_file))
        self._client.on_connect = lambda *_: self._client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed()
        self._client.on_message = lambda _client, _data, message: self._keep(message)

    def __enter__(self) -> Subscriber:
        session: dict[str, Any] = {}
        if self._is_5:
            session = {"clean_start": False, "properties": Properties(PacketTypes.CONNECT)}
            session["properties"].SessionExpiryInterval = SESSION_S
        self._client.connect(self._broker.host, self._broker.port, 60, **session)
        self._client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_subscribed, 10.0), "no subscription"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def messages(self) -> list[Received]:
        """All so far."""
        with self._changed:
            return list(self._messages)

    def on(self, ending: str) -> list[Received]:
        """All so far whose topic ends so."""
        return [message for message in self.messages if message.topic.endswith(ending)]

    def wait(self, is_enough: Callable[[list[Received]], bool], timeout_s: float = 15.0) -> list[Received]:
        """Wait until the messages are enough; fails after the time-out."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_enough(self._messages), timeout_s):
                shown = [(m.topic, m.payload[:80]) for m in self._messages[-5:]]
                raise AssertionError(f"{len(self._messages)} messages, not enough; the last: {shown}")
            return list(self._messages)

    def _connect(self) -> None:
        address = (self._broker.host, self._broker.port)
        if self._is_old:
            self._client.connect(*address, keepalive=60)
            return
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_S
        self._client.connect(*address, keepalive=60, clean_start=False, properties=properties)

    def _keep(self, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._messages.append(Received(message.topic, message.payload, message.retain, message.qos))
            self._changed.notify_all()

    def _subscribed(self) -> None:
        with self._changed:
            self._is_subscribed = True
            self._changed.notify_all()
