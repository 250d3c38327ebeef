"""The tracking seam: detections of one camera in, identities out."""

from __future__ import annotations

from typing import Protocol

from trackers import CameraMotion, Detections, TrackerState, Tracks


class Tracker(Protocol):
    """Follows the objects of one camera. Called by one thread at a time; knows no clock but the times it is given."""

    @property
    def refused(self) -> int:
        """How many detections it has refused so far, because they were no boxes."""

    def update(self, detections: Detections, at_s: float, camera_motion: CameraMotion | None = None) -> Tracks:
        """Go on by one frame, captured at `at_s` seconds; called for frames without detections too.

        `camera_motion` is how the background moved since the update before; None: it stood still, or is not known.

        Returns:
            The confirmed tracks seen in this frame. Numbers are 1 or more and never used again; a number that ended
            is told once.
        """

    def reset(self) -> None:
        """Forget every track: the scene is another one. What ended is told by the next update."""

    def export_state(self) -> TrackerState:
        """All that it knows, for a tracker of the next run; nothing changes.

        Raises:
            TrackerStateError: there is more of it than can be kept.
        """

    def import_state(self, state: TrackerState, at_s: float) -> None:
        """Go on as the exporting tracker would have, whose last update was at `at_s` seconds of our clock.

        Raises:
            TrackerStateError: that one had other settings.
        """
