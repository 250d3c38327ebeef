"""What the retained status messages of a site and of a camera say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class SiteState(str, Enum):
    """Whether the agent of a site is there; the words are those of Frigate's `available` topic."""

    ONLINE = "online"
    STOPPED = "stopped"
    OFFLINE = "offline"


class CameraState(str, Enum):
    """Whether a camera delivers frames."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    ENDED = "ended"
    STOPPED = "stopped"


class HealthState(str, Enum):
    """How well a site that is online does its work, best first."""

    OK = "ok"
    DEGRADED = "degraded"
    OVERLOADED = "overloaded"


@dataclass(frozen=True)
class Health:
    """How well, and why not better: a sentence a reason, none where all is well."""

    state: HealthState
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class SiteStatus:
    """What runs at a site.

    Attributes:
        site_id, version, run_id: who says it.
        state: `offline` is the will, sent by the broker when we vanish.
        since: UTC time from which the state holds; of a will the time it was left at the broker.
        engine: what detects, in words, for instance `openvino on CPU`; None before one is chosen.
        engine_reason: why this one, in a sentence.
        config_digest: of the configuration that runs; equal digest, equal configuration.
        reload: what became of the last change of the site file, in words; None before the first.
        health: how well the site does its work; it is told only while the site is online.
    """

    site_id: str
    state: SiteState
    since: datetime
    version: str
    run_id: str
    engine: str | None = None
    engine_reason: str | None = None
    config_digest: str | None = None
    reload: str | None = None
    health: Health = Health(HealthState.OK)


@dataclass(frozen=True)
class CameraStatus:
    """How a camera is.

    Attributes:
        site_id, camera_id, run_id: who says it, of whom.
        state: whether frames come.
        since: UTC time from which the state holds.
        reason: why no frames come, a value of `agent.errors.SourceFailure`; None while they do.
        detail: the same in a sentence, without credentials.
        fps: frames decoded a second, lately; None where it is not known.
    """

    site_id: str
    camera_id: str
    run_id: str
    state: CameraState
    since: datetime
    reason: str | None = None
    detail: str | None = None
    fps: float | None = None
