"""The detection seam: frames in, detections out, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.stream.frame import Frame
from trackers import Detections


class Detector(Protocol):
    """One detect worker's detector; called by that one thread, never after `close`."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Text of every class id, in order."""

    def detect(self, frames: Sequence[Frame]) -> Sequence[Detections]:
        """What is in each frame, in frame pixels, not clipped.

        Raises:
            DetectionError: this call failed; the next may work.
        """

    def close(self) -> None:
        """Let go of everything; may be called twice."""
