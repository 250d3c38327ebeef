"""The ways out of one site: where events, statuses and frames' tracks go, by its settings."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.app.happened import Happened
from agent.app.places import machine_id
from agent.app.status_board import StatusBoard
from agent.clock import Clock
from agent.errors import SettingsError
from agent.publish.client_id import default_client_id
from agent.publish.detections_feed import DetectionsFeed
from agent.publish.embedded_broker import LOOPBACK, EmbeddedBroker
from agent.publish.jsonl_sink import JsonlSink
from agent.publish.mqtt_sink import MqttSink
from agent.publish.sink import EventSink
from agent.publish.topics import Topics
from agent.settings.models import BrokerSettings, EventSettings, SinkKind, SiteSettings
from agent.track.tracked import TrackedFrame


@dataclass(frozen=True, eq=False)
class Outgoing:
    """The ways out of one site; `start` once, `close` once or twice.

    Attributes:
        sink: where events go.
        start: opens everything; an absent broker is no error.
        close: says goodbye and closes everything.
        tell_frame: publishes the tracks of a frame, if that is asked for and due.
        is_connected: whether the receiver is there; a file always is.
        tune: takes how often frames are told, from the next one on.
    """

    sink: EventSink
    start: Callable[[], None]
    close: Callable[[], None]
    tell_frame: Callable[[TrackedFrame], None]
    is_connected: Callable[[], bool]
    tune: Callable[[EventSettings], None] = lambda _events: None


def make_outgoing(
    site: SiteSettings,
    board: StatusBoard,
    clock: Clock,
    happened: Happened,
    numbered_by: Mapping[tuple[str, int], str],
) -> Outgoing:
    """Make what the settings ask for; nothing is opened yet.

    Args:
        site: the settings.
        board: knows what the site's status is.
        clock: for pauses and times.
        happened: is told what happens.
        numbered_by: of camera and track, the earlier run that numbered it; may fill until the first frame comes.
    """
    if site.sink is SinkKind.JSONL:
        sink = JsonlSink(site.events_file, sys.stdout.buffer, happened.publish)
        return Outgoing(sink, sink.start, sink.close, lambda _: None, lambda: True)
    return _mqtt(site, board, clock, happened, numbered_by)


def _mqtt(
    site: SiteSettings,
    board: StatusBoard,
    clock: Clock,
    happened: Happened,
    numbered_by: Mapping[tuple[str, int], str],
) -> Outgoing:
    settings, embedded = _broker(site)
    sink = MqttSink(
        settings,
        settings.client_id or default_client_id(machine_id(), site.site),
        Topics(site.base_topic, site.site),
        board.site,
        clock,
        random.SystemRandom(),
        happened.publish,
    )
    feed = DetectionsFeed(sink.publish_detections, site.site, board.site.run_id, site.events.detections, numbered_by)

    def start() -> None:
        if embedded is not None:
            embedded.start()
        sink.start()
        board.publish_to(sink.publish_camera_status)
        board.publish_site_to(sink.publish_site_status)

    def close() -> None:
        sink.close()
        if embedded is not None:
            embedded.stop()

    def tune(events: EventSettings) -> None:
        feed.limit(events.detections)

    return Outgoing(sink, start, close, feed.tell, lambda: sink.is_connected, tune)


def _broker(site: SiteSettings) -> tuple[BrokerSettings, EmbeddedBroker | None]:
    if isinstance(site.broker, BrokerSettings):
        return site.broker, None
    if site.broker is None:
        raise SettingsError("broker: missing; sink mqtt needs one")
    settings = BrokerSettings(host=LOOPBACK, port=site.embedded_broker_port, protocol="3.1.1")
    return settings, EmbeddedBroker(site.embedded_broker_port)
