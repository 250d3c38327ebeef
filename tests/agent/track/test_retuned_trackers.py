"""Trackers of other settings take over from those that run."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

import numpy as np
from fakes.detector import see_nothing
from prometheus_client import CollectorRegistry

from agent.detect.detected import DetectedFrame
from agent.settings.models import GroundPointSettings
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import ClockSource, Frame, FrameInfo
from agent.telemetry.teller import Teller
from agent.telemetry.track import TrackHappenings
from agent.track.camera_trackers import CameraTrackers
from agent.track.ground_tracker import GroundTrackerMaker
from trackers import ByteTracker, ByteTrackSettings, Detections

STRICT, LOOSE = ByteTrackSettings(new_track_threshold=0.9), ByteTrackSettings(new_track_threshold=0.6)
CORNERS = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))
POINTS = [GroundPointSettings(image=(x, y), ground=(x * 9, y * 9)) for x, y in CORNERS]
GROUND = {"gate": GroundTrackerMaker(LOOSE, POINTS)}


class Camera:
    """One camera with standing objects, ten frames a second."""

    def __init__(self) -> None:
        happened = TrackHappenings(Teller(CollectorRegistry(), logging.getLogger("tests.retuned")))
        self.step = CameraTrackers(lambda: ByteTracker(STRICT), happened)
        self._sequence = 0

    def see(self, *scores: float, frames: int = 1) -> tuple[list[int], list[int]]:
        """Numbers in the last frame, and all that were told as ended."""
        ended: list[int] = []
        for _ in range(frames):
            tracked = self.step.track(self._frame(scores))
            ended += tracked.tracks.ended_ids.tolist()
        return tracked.tracks.track_ids.tolist(), ended

    def retune(self, grounds: dict[str, GroundTrackerMaker] | None = None, *anew: str) -> None:
        """Go on with the loose settings."""
        self.step.retune(lambda: ByteTracker(LOOSE), {}, grounds or {}, anew)

    def _frame(self, scores: tuple[float, ...]) -> DetectedFrame:
        self._sequence += 1
        at_s = self._sequence / 10
        info = FrameInfo("gate", self._sequence, datetime.now(timezone.utc), ClockSource.HOST, at_s, 320, 180)
        frame = Frame(info, ArrayPicture(np.zeros((180, 320, 3), np.uint8)))
        boxes = np.array([[60.0 * place, 40, 60.0 * place + 40, 120] for place in range(len(scores))])
        seen = Detections(boxes, np.array(scores, np.float32), np.zeros(len(scores), np.int32))
        return DetectedFrame(frame, seen if scores else see_nothing(frame), ("person",))


def test_tracks_go_on_under_other_thresholds() -> None:
    """What was followed keeps its number, and what was too weak before is followed from now on."""
    camera = Camera()
    strict, _ = camera.see(0.95, 0.7, frames=4)
    camera.retune()
    loose, ended = camera.see(0.95, 0.7, frames=4)

    assert strict == [1]
    assert sorted(loose) == [1, 2]
    assert ended == []


def test_a_camera_without_frames_yet_is_simply_made_by_the_new_settings() -> None:
    """There is nothing to take over."""
    camera = Camera()
    camera.retune()

    assert sorted(camera.see(0.95, 0.7, frames=4)[0]) == [1, 2]


def test_new_ground_ends_the_tracks_and_numbers_go_on() -> None:
    """With its ground, and back without it."""
    camera = Camera()
    numbers = [camera.see(0.95, frames=4)]
    for grounds in (GROUND, None, GROUND):
        camera.retune(grounds, "gate")
        numbers.append(camera.see(0.95, frames=4))

    assert numbers == [([1], []), ([2], [1]), ([3], [2]), ([4], [3])]


def test_known_ground_stays_with_its_tracks() -> None:
    """Other thresholds alone end nothing there either."""
    camera = Camera()
    camera.retune(GROUND, "gate")
    before = camera.see(0.95, frames=4)
    camera.retune(GROUND)

    assert before == camera.see(0.95, frames=4) == ([1], [])
