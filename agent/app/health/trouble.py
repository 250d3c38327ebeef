"""What can be wrong with a site that runs, and how bad that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from agent.publish.status import HealthState


class TroubleKind(str, Enum):
    """Everything that keeps a site from being ok."""

    CAMERA_OFFLINE = "camera_offline"
    FRAMES_DROPPED = "frames_dropped"
    INFERENCE_FAILED = "inference_failed"
    ENGINE_FALLBACK = "engine_fallback"
    BROKER_AWAY = "broker_away"
    CAMERA_BEHIND = "camera_behind"
    FRAMES_STALE = "frames_stale"
    WORKERS_SATURATED = "workers_saturated"
    OUTBOX_GROWING = "outbox_growing"
    OUTBOX_FULL = "outbox_full"
    DISK_REFUSING = "disk_refusing"

    @property
    def state(self) -> HealthState:
        """What a site with this trouble is."""
        return HealthState.DEGRADED if self in _DEGRADING else HealthState.OVERLOADED

    @property
    def lasts_s(self) -> float:
        """How long it must last before it is told; those that are rates have lasted for their window already."""
        return _LASTS_S.get(self, 0.0)


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong.

    Attributes:
        kind: what.
        camera_id: where; None where it concerns the site.
        sentence: the same for people, with numbers.
    """

    kind: TroubleKind
    camera_id: str | None
    sentence: str

    @property
    def key(self) -> TroubleKey:
        """By which it is known again when its numbers have changed."""
        return self.kind, self.camera_id


TroubleKey = tuple[TroubleKind, str | None]

_DEGRADING = {
    TroubleKind.CAMERA_OFFLINE,
    TroubleKind.FRAMES_DROPPED,
    TroubleKind.INFERENCE_FAILED,
    TroubleKind.ENGINE_FALLBACK,
    TroubleKind.BROKER_AWAY,
}
# A camera or broker that is back after its first attempt is not worth a message.
_LASTS_S = {TroubleKind.CAMERA_OFFLINE: 5.0, TroubleKind.BROKER_AWAY: 10.0}
