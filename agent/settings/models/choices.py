"""Choices with a name, instead of booleans, and defaults that rules look at."""

from __future__ import annotations

from enum import Enum

EMBEDDED_BROKER_PORT = 1883


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


class CameraMotionPolicy(str, Enum):
    """What is done about the motion of the camera itself."""

    IGNORE = "ignore"
    COMPENSATE = "compensate"


class KeepOverRestart(str, Enum):
    """Whether tracks live on in the agent's next run."""

    ON = "on"
    OFF = "off"


class TlsVerification(str, Enum):
    """Whether a server must prove who it is."""

    FULL = "full"
    OFF = "off"
