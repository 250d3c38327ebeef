"""A subscriber like any other: prints events as they arrive at the broker, and a summary line now and then."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.demo.reading import read_event

SUMMARY_EVERY_S = 10.0
GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
COLORS = {"new": GREEN, "end": RED}


class Watcher:
    """Prints what one site publishes; `start` until it succeeds, `stop` at the end.

    Attributes:
        events: how many came, by kind.
    """

    def __init__(self, port: int, topics: str, *, is_colored: bool) -> None:
        self.events: Counter[str] = Counter()
        self._port = port
        self._topics = topics
        self._is_colored = is_colored
        self._frames = 0
        self._tracks = 0
        self._summed_at_s: float | None = None
        self._camera_says: dict[str, str] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._on_message

    def start(self) -> bool:
        """Connect; False while the broker is not there yet. Asked often, not the first event is missed."""
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError:
            return False
        self._client.loop_start()
        return True

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topics, qos=1)

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        kind = message.topic.rsplit("/", 1)[-1]
        said: dict[str, Any] = json.loads(message.payload)
        if kind == "events":
            self.events[said["type"]] += 1
            print(self._colored(read_event(said), said["type"]), flush=True)
        elif kind == "detections":
            self._frames += 1
            self._tracks += len(said["tracks"])
            self._sum_up()
        elif kind == "status" and "camera" in said:
            self._tell_state(said)

    def _tell_state(self, said: dict[str, Any]) -> None:
        detail = f": {said['detail']}" if said["detail"] else ""
        line = f"{said['camera']:<10} is {said['state']}{detail}"
        if self._camera_says.get(said["camera"]) != line:
            print(f"          {line}", flush=True)
        self._camera_says[said["camera"]] = line

    def _sum_up(self) -> None:
        now_s = time.monotonic()
        if self._summed_at_s is None:
            self._summed_at_s = now_s
        if (passed_s := now_s - self._summed_at_s) < SUMMARY_EVERY_S:
            return
        rate, objects = self._frames / passed_s, self._tracks / max(self._frames, 1)
        print(f"          {rate:.1f} frames a second, {objects:.1f} objects in each", flush=True)
        self._frames = self._tracks = 0
        self._summed_at_s = now_s

    def _colored(self, line: str, kind: str) -> str:
        return f"{COLORS[kind]}{line}{PLAIN}" if self._is_colored and kind in COLORS else line


def is_terminal() -> bool:
    """Whether standard output is a person's."""
    return sys.stdout.isatty()
