"""What leaves the agent: events, their outbox, the HTTP face, the log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from agent.settings.models.camera import FramesPerSecond
from agent.settings.models.record import HostName, Record, chosen_by_kind
from agent.settings.types import Duration, Secret, Size
from agent.settings.types.limits import WholeNumber, Within

DetectionMessages = Annotated[
    Annotated[Literal["every_frame", "off"], Tag("<word>")] | Annotated[FramesPerSecond, Tag("<number>")],
    chosen_by_kind("every_frame, off, or messages a second as a number", ("every_frame", "off")),
]
DAY_S = 24 * 3600.0


class EventSettings(Record):
    """What is told about tracks, and how often."""

    update_every: Annotated[Duration, Within(Duration(0.1), Duration(DAY_S))] = Duration(10.0)
    """Time between two update events of one track: 100ms to 1d."""

    detections: DetectionMessages = "every_frame"
    """The message with every track of a frame: every_frame, off, or messages a second at most, as a number."""


class OutboxSettings(Record):
    """Where events wait for the broker, and for how long."""

    max_size: Annotated[Size, Within(Size(1024**2), Size(1024**4))] = Size(256 * 1024**2)
    """Size on disk from which the oldest events are dropped, and counted: 1MiB to 1TiB."""

    max_age: Annotated[Duration, Within(Duration(60.0), Duration(365 * DAY_S))] = Duration(7 * DAY_S)
    """Age from which waiting events are dropped, and counted: 1m to 365d."""

    replay_rate: Annotated[int, WholeNumber(1, 100_000)] = 200
    """Events a second, beside new ones, at which those that waited for the receiver are sent once it is back."""


class HttpSettings(Record):
    """The local HTTP face: metrics and health."""

    host: HostName = "127.0.0.1"
    """Address to serve on; anything but loopback needs a token."""

    port: Annotated[int, WholeNumber(0, 65535)] = 9464
    """Port to serve on; 0 takes a free one and logs it."""

    token: Secret | None = None
    """Bearer token that every request must bring: ${NAME} of the environment, !file PATH, or text."""


class LogSettings(Record):
    """How the log reads."""

    format: Literal["auto", "json", "text"] = "auto"
    """json: an object a line. text: for people. auto: text on a terminal, else json."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""
