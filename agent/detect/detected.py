"""A frame with what the detector saw in it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.stream.frame import Frame
from trackers import Detections


@dataclass(frozen=True, eq=False)
class DetectedFrame:
    """A frame with what the detector saw in it.

    Attributes:
        frame: as captured.
        detections: in frame pixels, not clipped.
        labels: text of every class id, in order.
    """

    frame: Frame
    detections: Detections
    labels: tuple[str, ...]
