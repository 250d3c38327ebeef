"""What one run of a site leaves to the next, as a record and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from trackers import TrackerState, TrackerStateError

KIND = ("sitewatch tracks", 1)  # and its version


class KeptSiteError(ValueError):
    """What was left cannot be read; says why."""


@dataclass(frozen=True, eq=False)
class KeptCamera:
    """One camera as of its last frame.

    Attributes:
        fits: a digest of what must be the same for tracks to go on: source, model, labels, tracking.
        last_at: UTC time of the last frame by our own clock; a monotonic clock begins anew with the machine.
        tracker: all that its tracker knew.
        tracks: what `agent.events.kept_track` makes of each open track, relative to the last frame.
    """

    fits: str
    last_at: datetime
    tracker: TrackerState
    tracks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, eq=False)
class KeptSite:
    """All cameras of a site.

    Attributes:
        is_final: nothing was tracked after it.
        cameras: by camera id.
    """

    is_final: bool
    cameras: Mapping[str, KeptCamera]

    def to_json(self) -> str:
        """One JSON object: about 0.9 kB a track, half for its tracker and half for its events."""
        cameras = {
            camera_id: {
                "fits": camera.fits,
                "last_at": camera.last_at.isoformat(),
                "tracker": camera.tracker.to_json(),
                "tracks": camera.tracks,
            }
            for camera_id, camera in self.cameras.items()
        }
        kept = {"format": KIND[0], "version": KIND[1], "is_final": self.is_final, "cameras": cameras}
        return json.dumps(kept, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> KeptSite:
        """Read what `to_json` gave.

        Raises:
            KeptSiteError: the text is something else, of another version or damaged.
        """
        try:
            found = json.loads(text)
            kind = (found["format"], found["version"])
            cameras = {name: _camera(kept) for name, kept in found["cameras"].items()} if kind == KIND else {}
            is_final = found["is_final"] is True
        except TrackerStateError as error:
            raise KeptSiteError(str(error)) from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise KeptSiteError(f"it is damaged, or something else: {type(error).__name__}: {error}") from error
        if kind != KIND:
            raise KeptSiteError(f"expected {KIND}, got {kind}")
        return cls(is_final, cameras)


def _camera(kept: Mapping[str, Any]) -> KeptCamera:
    last_at = datetime.fromisoformat(kept["last_at"])
    if last_at.tzinfo is None:
        raise ValueError("last_at: a time without its zone")
    tracks = tuple(kept["tracks"])
    return KeptCamera(
        str(kept["fits"]), last_at.astimezone(timezone.utc), TrackerState.from_json(kept["tracker"]), tracks
    )
