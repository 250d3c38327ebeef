"""Who takes part in a comparison of times, and ours in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.evaluation.following import Timer
from agent.evaluation.speed.scenes import FRAME_RATE
from trackers import ByteTracker, ByteTrackSettings, Detections


class Contender(Protocol):
    """A tracker whose updates are timed. `begin` comes first and again for every scene; frames come in order."""

    @property
    def name(self) -> str:
        """For the table."""

    def begin(self, scene: Sequence[Detections]) -> None:
        """A new tracker for a new scene."""

    def spend_s(self, frames: range) -> list[float]:
        """Go on by these frames of the scene; processor seconds of each update."""


class OurContender:
    """`ByteTracker` in this process."""

    def __init__(self, name: str, settings: ByteTrackSettings, timer: Timer) -> None:
        self.name = name
        self._settings = settings
        self._timer = timer
        self._tracker = ByteTracker(settings)
        self._scene: Sequence[Detections] = ()

    def begin(self, scene: Sequence[Detections]) -> None:
        """A new tracker for a new scene."""
        self._tracker = ByteTracker(self._settings)
        self._scene = scene

    def spend_s(self, frames: range) -> list[float]:
        """Go on by these frames of the scene; processor seconds of each update."""
        spent_s = []
        for frame in frames:
            begin_s = self._timer()
            self._tracker.update(self._scene[frame], frame / FRAME_RATE)
            spent_s.append(self._timer() - begin_s)
        return spent_s
