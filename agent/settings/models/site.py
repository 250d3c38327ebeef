"""The whole site file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, ValidationInfo, model_validator

from agent.settings.broken_rule import BrokenRulesError
from agent.settings.models.broker import BrokerSettings
from agent.settings.models.camera import CameraSettings
from agent.settings.models.choices import EMBEDDED_BROKER_PORT, SinkKind
from agent.settings.models.detection import DetectionSettings, ModelSettings, TrackingSettings
from agent.settings.models.output import EventSettings, HttpSettings, LogSettings, OutboxSettings
from agent.settings.models.record import Identifier, Port, Record, chosen_by_kind
from agent.settings.rules import broken_rules
from agent.settings.types.limits import Text
from agent.settings.types.site_path import EventsFile, SitePath

BaseTopic = Annotated[
    str,
    Text(
        r"(?!\$)[^+#/\s]([^+#\s]{0,198}[^+#/\s])?",
        "an MQTT topic of up to 200 characters without + # or spaces, no / at either end, no $ in front",
    ),
]
Broker = Annotated[
    Annotated[Literal["embedded"], Tag("<word>")] | Annotated[BrokerSettings, Tag("<mapping>")],
    chosen_by_kind("embedded, or a mapping with host", ("embedded",)),
]
Model = Annotated[
    Annotated[Literal["motion"], Tag("<word>")] | Annotated[ModelSettings, Tag("<mapping>")],
    chosen_by_kind("motion, or a mapping with path", ("motion",)),
]


class SiteSettings(Record):
    """One site: its cameras, model, broker."""

    site: Identifier
    """Name of the site, in topics and events: small letters, digits, _ and -."""

    base_topic: BaseTopic = "sitewatch"
    """Topics begin with <base_topic>/<site>/."""

    broker: Broker | None = None
    """The MQTT broker; the word embedded starts one inside, on loopback, for trying out."""

    embedded_broker_port: Port = EMBEDDED_BROKER_PORT
    """Loopback port of the embedded broker."""

    sink: SinkKind = SinkKind.MQTT
    """Where events go: mqtt, or jsonl for JSON lines in events_file."""

    events_file: EventsFile = "-"
    """File of the jsonl sink; - is standard output."""

    model: Model
    """The detection model; the word motion takes the built-in motion detector, which needs no file."""

    cameras: Annotated[dict[Identifier, CameraSettings], Field(min_length=1)]
    """The cameras, each under its name, which stands in topics and events."""

    detection: DetectionSettings = DetectionSettings()
    """Which detections count."""

    tracking: TrackingSettings = TrackingSettings()
    """ByteTrack's thresholds and patience."""

    events: EventSettings = EventSettings()
    """What is told about tracks, and how often."""

    outbox: OutboxSettings = OutboxSettings()
    """Where events wait for the broker, and for how long."""

    http: HttpSettings = HttpSettings()
    """The local HTTP face: metrics and health."""

    log: LogSettings = LogSettings()
    """How the log reads."""

    state_dir: SitePath | None = None
    """Folder for the outbox and compiled engines; null takes the one given by the service manager, or the user's."""

    @model_validator(mode="after")
    def _rules_between_keys(self, info: ValidationInfo) -> SiteSettings:
        """Hold the rules, unless the context says that they are told apart (`{"rules": "apart"}`)."""
        apart = isinstance(info.context, dict) and info.context.get("rules") == "apart"
        broken = () if apart else tuple(broken_rules(self))
        if broken:
            raise BrokenRulesError(broken)
        return self
