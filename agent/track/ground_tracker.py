"""The tracker of a camera whose ground is known; it belongs to one size of frames, as boxes are in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from agent.settings.models import GroundPointSettings
from trackers import ByteTracker, ByteTrackSettings, TrackerState
from trackers.ground_plane import GroundPlane, GroundPoint


class FrameSize(NamedTuple):
    """In pixels."""

    width_px: int
    height_px: int


class GroundTrackerMaker:
    """Makes trackers for one camera, by the size of its frames."""

    def __init__(self, settings: ByteTrackSettings, points: Sequence[GroundPointSettings]) -> None:
        self._settings = settings
        self._points = tuple(GroundPoint(point.image, point.ground) for point in points)

    def make(self, size: FrameSize) -> ByteTracker:
        """A new one that knows the ground in frames of this size.

        Raises:
            ValueError: the points do not fit each other, which reading the site file has told already.
        """
        return ByteTracker(replace(self._settings, ground_plane=GroundPlane(self._points, size)))

    def size_of(self, state: TrackerState) -> FrameSize | None:
        """The frames that an exported state's tracker was made for; None where it knew no ground."""
        plane = state.settings.get("ground_plane")
        size = plane.get("frame_px") if isinstance(plane, dict) else None
        if not isinstance(size, list) or len(size) != len(FrameSize._fields):
            return None
        return FrameSize(*size) if all(isinstance(side, int) and side > 0 for side in size) else None


def with_numbers_of(made: ByteTracker, state: TrackerState, at_s: float) -> ByteTracker:
    """The same tracker, which has no track yet, but gives only numbers that the exporting one never gave.

    Args:
        made: as it was made.
        state: of a tracker without tracks, whatever its settings; what it has not told as ended is told here.
        at_s: when that one was last updated.
    """
    made.import_state(replace(state, settings=made.export_state().settings), at_s)
    return made
