"""How the way of events out of the agent is told: outbox, broker, messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from prometheus_client import Histogram

from agent.telemetry.teller import Teller

DropReason = Literal["size", "age", "memory", "rejected"]
MessageKind = Literal["event", "status", "detections"]
MessageOutcome = Literal["sent", "resent", "acknowledged", "refused", "rejected", "dropped"]
CertificateOf = Literal["ca", "client", "broker"]
EXPIRES_SOON_S = 30 * 24 * 3600.0
DAY_S = 24 * 3600.0
# Close together where a healthy box lies, so that percentiles mean something; then up to what waited for a broker.
AGE_BUCKETS = (
    0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
    60.0, 600.0,
)  # fmt: skip


class PublishHappenings:
    """Told by the outbox, the publisher and the sinks; any thread may call."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._is_connected = False
        self._dropped = teller.counter("outbox_dropped", "Events lost from the outbox.", ("reason",))
        self._failures = teller.counter("outbox_failures", "Times the outbox's file could not be used.")
        self._set_aside = teller.counter("outbox_set_aside", "Damaged outbox files set aside.")
        self._connected = teller.gauge("mqtt_connected", "1 while the broker has accepted us.")
        self._reconnects = teller.counter(
            "mqtt_reconnects", "Attempts to connect again, by what ended the connection or attempt before.", ("reason",)
        )
        self._expiries = teller.gauge(
            "mqtt_certificate_expiry_timestamp_seconds",
            "When a certificate of the connection to the broker expires, Unix time.",
            ("which",),
        )
        self._messages = teller.counter("messages", "Messages and what became of them.", ("kind", "outcome"))
        self._ages = Histogram(
            "sitewatch_frame_age_seconds",
            "From the capture of a frame to the acknowledgement of an event it caused.",
            ("camera",),
            buckets=AGE_BUCKETS,
            registry=teller.registry,
        )

    def watch_outbox(self, events: Callable[[], int], size: Callable[[], int], age_s: Callable[[], float]) -> None:
        """Show what waits whenever metrics are read; the three must be quick and safe from any thread."""
        self._teller.gauge("outbox_events", "Events that wait for the receiver.").set_function(events)
        self._teller.gauge("outbox_bytes", "Size of the events that wait.").set_function(size)
        age = self._teller.gauge("outbox_oldest_age_seconds", "How long the oldest waiting event has waited.")
        age.set_function(age_s)

    def outbox_dropped(self, reason: DropReason, count: int) -> None:
        """Events are lost: the limit that `reason` names was reached, or the receiver refuses them for good."""
        self._dropped.labels(reason).inc(count)
        self._teller.fold(
            ("outbox_dropped", reason),
            logging.ERROR,
            f"{{count}} events lost from the outbox in the last {{seconds}} s: {_DROPPED[reason]}",
            count=count,
            reason=reason,
        )

    def outbox_failed(self, detail: str) -> None:
        """The outbox's file could not be read or written; events wait in memory."""
        self._failures.inc()
        self._teller.fold(
            "outbox_failed",
            logging.ERROR,
            f"events wait in memory and would be lost with the process: {detail}",
            period_s=60.0,
        )

    def outbox_recovered(self, from_memory: int) -> None:
        """The outbox's file can be written again."""
        sentence = f"the outbox can be written again; {from_memory} events from memory are on disk now"
        self._teller.say(logging.INFO, sentence, events=from_memory)

    def outbox_number_unnoted(self) -> None:
        """The disk takes nothing at all, not even the last number given."""
        self._teller.fold(
            "outbox_number_unnoted",
            logging.ERROR,
            "the numbers of events cannot be noted: if the agent were killed now, its next run would give them again "
            "(with a run_id of its own)",
            period_s=600.0,
        )

    def outbox_lost_with_memory(self, first: int, last: int) -> None:
        """The run before ended while events waited in memory; their numbers are not given again."""
        sentence = (
            f"the run before ended without a stop while the disk was full: of the events {first} to {last}, "
            "those that the receiver had not acknowledged are lost"
        )
        self._teller.say(logging.ERROR, sentence, first=first, last=last)

    def outbox_set_aside(self, detail: str, new_name: str, *, is_sequence_kept: bool) -> None:
        """A damaged file was renamed, and another one begun."""
        self._set_aside.inc()
        sequence = "the sequence goes on" if is_sequence_kept else "the sequence begins anew at 1"
        sentence = f"damaged {detail}; set aside as {new_name}, and another one begun; {sequence}"
        self._teller.say(logging.ERROR, sentence, file=new_name)

    def broker_connected(self, broker: str) -> None:
        """The broker has accepted us."""
        self._is_connected = True
        self._connected.set(1)
        self._teller.say(logging.INFO, f"connected to the broker {broker}", broker=broker)

    def broker_lost(self, broker: str, reason: str, detail: str, retry_in_s: float) -> None:
        """The connection ended, or could not be made; `reason` comes from a closed list."""
        self._connected.set(0)
        self._reconnects.labels(reason).inc()
        if self._is_connected:  # each loss is news; what repeats is that it cannot be reached
            self._is_connected = False
            sentence = f"broker {broker}: {detail}; next attempt in {retry_in_s:.1f} s"
            self._teller.say(logging.WARNING, sentence, broker=broker, reason=reason)
            return
        sentence = f"broker {broker}: {detail}; failed attempts in the last {{seconds}} s: {{count}}"
        self._teller.fold(
            ("broker_lost", reason), logging.WARNING, sentence, period_s=60.0, broker=broker, reason=reason
        )

    def broker_left(self) -> None:
        """We said goodbye."""
        self._connected.set(0)

    def broker_given_up(self, seconds: float) -> None:
        """We stop, and an attempt to connect that hangs is not waited for."""
        sentence = f"the connection to the broker did not end within {seconds:.1f} s; it ends with the process"
        self._teller.say(logging.WARNING, sentence)

    def certificate_expires(self, which: CertificateOf, expiry: datetime, left_s: float, file: str | None) -> None:
        """It is known until when a certificate is valid; told while that is soon, or over, once a day."""
        self._expiries.labels(which).set(expiry.timestamp())
        if left_s >= EXPIRES_SOON_S:
            return
        name = f"{_CERTIFICATES[which]}{'' if file is None else f' ({file})'}"
        ends = "expired" if left_s < 0 else f"expires in {left_s / DAY_S:.0f} days,"
        self._teller.fold(
            ("certificate_expires", which),
            logging.ERROR if left_s < 0 else logging.WARNING,
            f"{name} {ends} at {expiry:%Y-%m-%d %H:%M} UTC; {_RENEW[which]}",
            period_s=DAY_S,
            which=which,
        )

    def message(self, kind: MessageKind, outcome: MessageOutcome, count: int = 1) -> None:
        """Messages were handed on, acknowledged or lost."""
        self._messages.labels(kind, outcome).inc(count)

    def message_refused(self, detail: str, *, is_final: bool) -> None:
        """The receiver acknowledged an event with an error; it is tried again unless that is final."""
        self._messages.labels("event", "rejected" if is_final else "refused").inc()
        self._teller.fold(
            ("message_refused", is_final),
            logging.WARNING,
            f"{{count}} events refused in the last {{seconds}} s: {detail}",
            is_final=is_final,
        )

    def sink_failed(self, detail: str) -> None:
        """Events could not be handed over; they wait."""
        self._teller.fold("sink_failed", logging.ERROR, detail, period_s=60.0)

    def event_acknowledged(self, camera_id: str, age_s: float) -> None:
        """The receiver has an event that a frame of this run caused."""
        self._ages.labels(camera_id).observe(age_s)


_CERTIFICATES: dict[CertificateOf, str] = {
    "ca": "the authority's certificate of broker.tls.ca_file",
    "client": "our certificate of broker.tls.client_cert_file",
    "broker": "the broker's certificate",
}
_RENEW: dict[CertificateOf, str] = {
    "ca": "put its successor into the file, which is read again with the next connection",
    "client": "put its successor into the file, which is read again with the next connection",
    "broker": "it is renewed on the broker",
}
_DROPPED: dict[DropReason, str] = {
    "size": "it is full; the oldest went",
    "age": "they waited longer than is allowed",
    "memory": "the disk cannot be written and the memory set aside for them is full; the oldest went",
    "rejected": "the receiver refuses them for good",
}
