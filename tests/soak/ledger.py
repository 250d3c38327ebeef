"""What arrived at a subscriber, kept small enough for weeks: is every event there, once, unchanged and in order?"""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import paho.mqtt.client as paho
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber

MOST_MISSING_SHOWN = 10
DIGEST_BYTES = 12


class Ledger:
    """Takes events as they arrive; any thread may use it.

    Attributes:
        doubles: how many arrived again, with the same bytes.
        faults: what must never be, as sentences.
    """

    def __init__(self) -> None:
        self.doubles = 0
        self.faults: list[str] = []
        self._digests: dict[int, bytes] = {}
        self._newest: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, payload: bytes) -> None:
        """One message as it arrived."""
        event: dict[str, Any] = json.loads(payload)
        sequence, camera = int(event["sequence"]), str(event["camera"])
        digest = hashlib.blake2b(payload, digest_size=DIGEST_BYTES).digest()
        with self._lock:
            known = self._digests.get(sequence)
            if known is not None:
                self.doubles += 1
                if known != digest:
                    self.faults.append(f"two different events have the sequence {sequence}")
                return
            self._digests[sequence] = digest
            if sequence < self._newest.get(camera, 0):
                self.faults.append(f"{camera}: event {sequence} came after {self._newest[camera]}")
            self._newest[camera] = max(sequence, self._newest.get(camera, 0))

    @property
    def count(self) -> int:
        """How many different events arrived."""
        with self._lock:
            return len(self._digests)

    def missing(self, last: int) -> list[int]:
        """Which of the events from 1 to `last` did not arrive, and which came beyond it."""
        with self._lock:
            return sorted(set(range(1, last + 1)) ^ self._digests.keys())

    def verdict(self, last: int) -> list[str]:
        """Everything that is wrong once the last event ever made should have arrived."""
        with self._lock:
            found = list(self.faults)
        if missing := self.missing(last):
            shown = ", ".join(map(str, missing[:MOST_MISSING_SHOWN]))
            found.append(f"{len(missing)} events of {last} are missing or too many: {shown}")
        return found


class LedgerSubscriber(Subscriber):
    """Writes every event of a site into a ledger and keeps nothing else."""

    def __init__(self, broker: Mosquitto, ledger: Ledger, **login: Any) -> None:
        super().__init__(broker, "sitewatch/+/+/events", client_id="ledger", **login)
        self._ledger = ledger

    def _keep(self, message: paho.MQTTMessage) -> None:
        self._ledger.take(message.payload)
