"""What one site file says, as frozen records: every key, its type, default and unit."""

from __future__ import annotations

from agent.settings.models.broker import BrokerSettings, TlsSettings
from agent.settings.models.camera import CameraSettings
from agent.settings.models.choices import (
    CameraMotionPolicy,
    KeepOverRestart,
    Pace,
    Playback,
    RtspTransport,
    SinkKind,
    TlsVerification,
)
from agent.settings.models.detection import DetectionSettings, ModelSettings, TrackingSettings
from agent.settings.models.ground import GroundPointSettings
from agent.settings.models.output import EventSettings, HttpSettings, LogSettings, OutboxSettings
from agent.settings.models.record import Record
from agent.settings.models.site import SiteSettings

__all__ = [
    "BrokerSettings",
    "CameraMotionPolicy",
    "CameraSettings",
    "DetectionSettings",
    "EventSettings",
    "GroundPointSettings",
    "HttpSettings",
    "KeepOverRestart",
    "LogSettings",
    "ModelSettings",
    "OutboxSettings",
    "Pace",
    "Playback",
    "Record",
    "RtspTransport",
    "SinkKind",
    "SiteSettings",
    "TlsSettings",
    "TlsVerification",
    "TrackingSettings",
]
