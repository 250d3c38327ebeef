"""One connection to a broker, from CONNECT to its end."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.clock import Clock
from agent.publish.certificate_watch import CertificateWatch
from agent.publish.message import Message
from agent.publish.mqtt_failure import (
    BrokerFailure,
    Failure,
    Verdict,
    connecting_failed,
    disconnected,
    login_refused,
    verdict_of,
)
from agent.publish.outgoing import Outgoing
from agent.publish.wake import Wake
from agent.telemetry.publish import PublishHappenings

# Events and statuses sent and not acknowledged at one time; a broker may ask for fewer (MQTT 5, receive maximum).
WINDOW = 64
CONNACK_TIMEOUT_S = 10.0
GOODBYE_TIMEOUT_S = 1.0
TURN_S = 0.5


class BrokerAddress(NamedTuple):
    """Where the broker is, and how long silence may last."""

    host: str
    port: int
    keepalive_s: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class MqttSession:
    """Serves one connection; all of it runs in one thread, which alone touches paho, so paho needs no locks.

    Attributes:
        is_connected: the broker has accepted us; any thread may read it.
        connected_at_s: since when, monotonic; None if it never did.
    """

    def __init__(
        self,
        client: paho.Client,
        address: BrokerAddress,
        outgoing: Outgoing,
        wake: Wake,
        clock: Clock,
        happened: PublishHappenings,
        certificates: CertificateWatch,
    ) -> None:
        self.is_connected = False
        self.connected_at_s: float | None = None
        self._client = client
        self._address = address
        self._outgoing = outgoing
        self._wake = wake
        self._clock = clock
        self._happened = happened
        self._certificates = certificates
        self._window = WINDOW
        # Message ids of what is sent and not acknowledged: an event's sequence, or a status topic.
        self._unacknowledged: dict[int, int | str] = {}
        self._failure: Failure | None = None
        self._is_leaving = False

    def run(self) -> Failure:
        """Connect and serve until the connection ends; why it did."""
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        try:
            self._client.connect(*self._address)
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
            return connecting_failed(error)
        self._serve()
        self.is_connected = False
        return self._failure or Failure(BrokerFailure.LOST, "the connection broke")

    def leave(self) -> None:
        """Say goodbye soon and end; any thread may call it. The broker then does not send the will."""
        self._is_leaving = True
        self._wake.ring()

    def _serve(self) -> None:
        accepted_by_s = self._clock.monotonic_s() + CONNACK_TIMEOUT_S
        while not self._is_leaving:
            if self.is_connected:
                self._pump()
            if (sock := self._client.socket()) is None:  # it may have gone while we wrote
                return
            if not self.is_connected and self._clock.monotonic_s() > accepted_by_s:
                self._failure = Failure(BrokerFailure.TIMEOUT, "it took the connection but does not answer")
                sock.close()
                return
            self._turn(sock, TURN_S)
            self._certificates.turn()
        self._say_goodbye()

    def _turn(self, sock: Any, timeout_s: float) -> None:  # noqa: ANN401 - paho's own union of socket types
        """Wait for something to do, and let paho do it."""
        has_bytes = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        is_readable, is_writable = self._wake.wait(
            sock, 0.0 if has_bytes else timeout_s, for_writing=self._client.want_write()
        )
        if is_readable or has_bytes:
            self._client.loop_read()
        if is_writable:
            self._client.loop_write()
        self._client.loop_misc()

    def _pump(self) -> None:
        """Hand paho what it can send now: statuses before events before detections."""
        while self._has_room() and (status := self._outgoing.statuses.take()):
            self._send(status, status.topic, is_retained=True)
            self._happened.message("status", "sent")
        while self._has_room() and (event := self._outgoing.events.take()):
            self._send(event[1], event[0], is_retained=False)
            self._happened.message("event", "sent")
        while self.is_connected and not self._client.want_write() and (passing := self._outgoing.take_passing()):
            self._client.publish(passing.topic, passing.payload, qos=0)
            self._happened.message("detections", "sent")

    def _has_room(self) -> bool:
        has_window = self.is_connected and len(self._unacknowledged) < self._window
        return has_window and not self._client.want_write()

    def _send(self, message: Message, key: int | str, *, is_retained: bool) -> None:
        # The acknowledgement cannot come before this returns: only this thread reads.
        info = self._client.publish(message.topic, message.payload, qos=1, retain=is_retained)
        self._unacknowledged[info.mid] = key

    def _say_goodbye(self) -> None:
        self._client.disconnect()
        deadline_s = self._clock.monotonic_s() + GOODBYE_TIMEOUT_S
        while (sock := self._client.socket()) is not None:
            if self._clock.monotonic_s() > deadline_s:
                sock.close()
                return
            self._turn(sock, 0.1)

    def _on_connect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._failure = login_refused(reason)
            return
        self._window = min(WINDOW, int(getattr(properties, "ReceiveMaximum", WINDOW)))
        if count := self._outgoing.begin_anew():
            self._happened.message("event", "resent", count)
        self.connected_at_s = self._clock.monotonic_s()
        self.is_connected = True
        self._happened.broker_connected(str(self._address))
        sock = self._client.socket()
        self._certificates.connected(sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.is_connected = False
        if self._failure is None:
            self._failure = disconnected(reason, by_broker=flags.is_disconnect_packet_from_server)

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        key = self._unacknowledged.pop(mid, None)
        if isinstance(key, str):
            self._outgoing.statuses.settle(key)
        elif key is not None:
            verdict = verdict_of(reason)
            if verdict is not Verdict.ACCEPTED:
                self._happened.message_refused(f"the broker answers {reason}", is_final=verdict is Verdict.REJECTED)
            self._outgoing.events.settle(key, verdict)
