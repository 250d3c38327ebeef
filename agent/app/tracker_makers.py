"""What trackers of a site's cameras are made by, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.settings.models import CameraMotionPolicy, SiteSettings
from agent.track.bytetrack_settings import bytetrack_settings
from agent.track.camera_motion import CameraMotionEstimator
from agent.track.ground_tracker import GroundTrackerMaker
from trackers import ByteTracker

# A camera that gives nothing for this much longer than a lost track is kept has no track left to come back to.
SILENCE_MARGIN_S = 5.0


@dataclass(frozen=True, eq=False)
class TrackerMakers:
    """What `CameraTrackers` is given.

    Attributes:
        plain: makes the tracker of a camera of which nothing more is known.
        estimators: of the cameras whose own motion is made up for.
        grounds: make the trackers of the cameras whose ground is known.
        silence_s: a live camera that gives nothing for so long has no tracks left.
    """

    plain: Callable[[], ByteTracker]
    estimators: Mapping[str, CameraMotionEstimator]
    grounds: Mapping[str, GroundTrackerMaker]
    silence_s: float


def tracker_makers(site: SiteSettings) -> TrackerMakers:
    """Of these settings."""
    settings = bytetrack_settings(site.tracking)
    return TrackerMakers(
        plain=lambda: ByteTracker(settings),
        estimators={
            name: CameraMotionEstimator()
            for name, camera in site.cameras.items()
            if camera.camera_motion is CameraMotionPolicy.COMPENSATE
        },
        grounds={
            name: GroundTrackerMaker(settings, camera.ground_points)
            for name, camera in site.cameras.items()
            if camera.ground_points is not None
        },
        silence_s=float(site.tracking.lost_patience) + SILENCE_MARGIN_S,
    )
