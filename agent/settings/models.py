"""What one site file says, as frozen records: every key, its type, default and unit."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.settings.types import Duration, PictureSize, Secret, Size, SourceAddress

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Record(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class SinkKind(str, Enum):
    """Where events go."""

    MQTT = "mqtt"
    JSONL = "jsonl"


class RtspTransport(str, Enum):
    """How RTP reaches us."""

    TCP = "tcp"
    UDP = "udp"


class Pace(str, Enum):
    """How a file is played."""

    REALTIME = "realtime"
    FAST = "fast"


class Playback(str, Enum):
    """What happens at a file's end."""

    ONCE = "once"
    LOOP = "loop"


class TlsVerification(str, Enum):
    """Whether a server must prove who it is."""

    FULL = "full"
    OFF = "off"


class TlsSettings(Record):
    """TLS towards a broker or camera."""

    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    verify: TlsVerification = TlsVerification.FULL


class BrokerSettings(Record):
    """The MQTT broker events are published to."""

    host: str
    port: Port | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: Secret | None = None
    tls: TlsSettings | None = None
    client_id: str | None = None
    keepalive: Duration = Duration(30.0)


class ModelSettings(Record):
    """The detection model and how it is fed; what is left out is read off the model."""

    path: Path
    labels: Path | tuple[str, ...] | None = None
    engine: Literal["auto", "onnxruntime", "openvino"] = "auto"
    family: Literal["auto", "yolox", "yolov5", "yolov8", "end2end", "detr", "nanodet"] = "auto"
    input_size: PictureSize | None = None
    color_order: Literal["rgb", "bgr"] | None = None
    mean: tuple[float, float, float] | None = None
    scale: tuple[float, float, float] | None = None
    fit: Literal["letterbox_top_left", "letterbox_centre", "stretch"] | None = None
    pad_value: Annotated[int, Field(ge=0, le=255)] | None = None
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    sessions: Annotated[int, Field(ge=1, le=16)] = 1
    batch: Annotated[int, Field(ge=1, le=64)] = 1


class DetectionSettings(Record):
    """Which detections count."""

    score_threshold: Fraction = 0.1
    score_thresholds: dict[str, Fraction] = {}
    iou_threshold: Fraction = 0.65
    keep_labels: tuple[str, ...] | None = None
    max_detections: Annotated[int, Field(ge=1, le=10_000)] = 300


class TrackingSettings(Record):
    """ByteTrack's thresholds and patience."""

    high_threshold: Fraction = 0.6
    low_threshold: Fraction = 0.1
    new_track_threshold: Fraction = 0.7
    lost_patience: Duration = Duration(1.0)


class EventSettings(Record):
    """What is told about tracks, and how often."""

    update_every: Duration = Duration(10.0)
    detections: Literal["every_frame", "off"] | Annotated[float, Field(gt=0)] = "every_frame"


class OutboxSettings(Record):
    """Where events wait for the broker, and for how long."""

    max_size: Size = Size(256 * 1024 * 1024)
    max_age: Duration = Duration(7 * 24 * 3600.0)


class HttpSettings(Record):
    """The local HTTP face: metrics and health."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9464
    token: Secret | None = None


class LogSettings(Record):
    """How the log reads."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class CameraSettings(Record):
    """One viewpoint."""

    source: SourceAddress
    username: str | None = None
    password: Secret | None = None
    rtsp_transport: RtspTransport = RtspTransport.TCP
    tls: TlsSettings | None = None
    detect_fps: Annotated[float, Field(gt=0, le=1000)] | None = 10.0
    keep_labels: tuple[str, ...] | None = None
    open_timeout: Duration = Duration(10.0)
    read_timeout: Duration = Duration(10.0)
    stall_timeout: Duration = Duration(10.0)
    retry_min: Duration = Duration(1.0)
    retry_max: Duration = Duration(30.0)
    pace: Pace = Pace.REALTIME
    playback: Playback = Playback.ONCE


class SiteSettings(Record):
    """One site: its cameras, model, broker."""

    site: Identifier
    base_topic: str = "sitewatch"
    broker: Literal["embedded"] | BrokerSettings | None = None
    embedded_broker_port: Port = 1883
    sink: SinkKind = SinkKind.MQTT
    events_file: str = "-"
    model: Literal["motion"] | ModelSettings
    cameras: dict[Identifier, CameraSettings]
    detection: DetectionSettings = DetectionSettings()
    tracking: TrackingSettings = TrackingSettings()
    events: EventSettings = EventSettings()
    outbox: OutboxSettings = OutboxSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    state_dir: Path | None = None
