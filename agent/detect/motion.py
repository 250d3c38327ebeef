"""The built-in motion detector: moving regions as boxes, without any model. It sees that something moves, not what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.detect.moving_regions import Backdrop, MotionLimits
from agent.stream.frame import Frame
from agent.telemetry.detect import DetectHappenings
from trackers import Detections

LABEL = "motion"


class MotionDetector:
    """Background subtraction per camera, as a `Detector`; used by one thread.

    A detection's score says how much moves there, not how probable an object is: m / (m + least), where m is how
    many pixels move and `least` how many the smallest box that counts has. So 0.5 is that many, 0.8 four times.

    What stands still for a while becomes background and is no longer seen, and so is a change of the whole picture
    (a lamp switched on, a camera that is moved): that is learnt anew without telling anything.
    """

    def __init__(self, limits: MotionLimits, happened: DetectHappenings) -> None:
        self._limits = limits
        self._happened = happened
        self._backdrops: dict[str, Backdrop] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """The one label there is."""
        return (LABEL,)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Moving regions of each frame, in frame pixels, best score first; frames of a camera in their order."""
        return [self._detect(frame) for frame in frames]

    def forget(self, camera_id: str) -> None:
        """A camera never comes back; any thread, while none of its frames is looked at."""
        self._backdrops.pop(camera_id, None)

    def close(self) -> None:
        """Forget every camera; may be called twice."""
        self._backdrops.clear()

    def _detect(self, frame: Frame) -> Detections:
        info = frame.info
        backdrop = self._backdrops.get(info.camera_id)
        if backdrop is None or backdrop.frame_px != (info.width_px, info.height_px):
            backdrop = Backdrop((info.width_px, info.height_px), self._limits)
            self._backdrops[info.camera_id] = backdrop
        regions = backdrop.moving(frame.picture.scaled(*backdrop.small_px))
        detections = Detections(regions.boxes, regions.scores, np.zeros(len(regions.scores), np.int32))
        self._happened.detected(info.camera_id, self.labels, detections.class_ids)
        return detections
