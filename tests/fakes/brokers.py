"""MQTT sinks towards a real broker, with pauses short enough for tests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from fakes.events import NOON, RUN_ID
from servers.mosquitto import Mosquitto

from agent.clock import SystemClock
from agent.publish.backoff import Backoff
from agent.publish.mqtt_sink import MqttSink
from agent.publish.status import SiteState, SiteStatus
from agent.publish.topics import Topics
from agent.settings.models import BrokerSettings
from agent.telemetry.publish import PublishHappenings
from agent.telemetry.teller import Teller

TOPICS = Topics("sitewatch", "depot")


def mqtt_sink(
    broker: Mosquitto, told: Teller | PublishHappenings, client_id: str = "agent", **settings: Any
) -> MqttSink:
    """A sink, not started; `settings` are those of the site file."""
    happened = told if isinstance(told, PublishHappenings) else PublishHappenings(told)
    return MqttSink(
        BrokerSettings(host=broker.host, port=broker.port, **settings),
        client_id,
        TOPICS,
        SiteStatus("depot", SiteState.ONLINE, NOON, "0.1.0", RUN_ID),
        SystemClock(),
        random.Random(1),
        happened,
        backoff=Backoff(0.05, 0.4, random.Random(2)),
    )


def until(is_so: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Wait for a condition; fails after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.005)
