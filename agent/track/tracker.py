"""The tracking seam: detections of one camera in, identities out."""

from __future__ import annotations

from typing import Protocol

from trackers import Detections, Tracks


class Tracker(Protocol):
    """Follows the objects of one camera. Called by one thread at a time; knows no clock but the times it is given."""

    @property
    def refused(self) -> int:
        """How many detections it has refused so far, because they were no boxes."""

    def update(self, detections: Detections, at_s: float) -> Tracks:
        """Go on by one frame, captured at `at_s` seconds; called for frames without detections too.

        Returns:
            The confirmed tracks seen in this frame. Numbers are 1 or more and never used again; a number that ended
            is told once.
        """

    def reset(self) -> None:
        """Forget every track: the scene is another one. What ended is told by the next update."""
