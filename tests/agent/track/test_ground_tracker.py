"""Cameras whose ground is known: their trackers go with the size of the frames."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timezone

import pytest
from clips.rendered import draw
from prometheus_client import CollectorRegistry
from scenes.on_ground import FRAME_PX, Camera, Walker, watched

from agent.detect.detected import DetectedFrame
from agent.settings.models import GroundPointSettings
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import ClockSource, Frame, FrameInfo
from agent.telemetry.teller import Teller
from agent.telemetry.track import TrackHappenings
from agent.track.camera_trackers import CameraTrackers
from agent.track.ground_tracker import FrameSize, GroundTrackerMaker
from trackers import ByteTracker, ByteTrackSettings, Detections, TrackerStateError, Tracks

SETTINGS = ByteTrackSettings()
CAMERA = Camera()
POINTS = [GroundPointSettings(image=image, ground=ground) for image, ground in CAMERA.plane().points]
WALKERS = (Walker((-4.0, 10.0), (2.0, 0.0)), Walker((4.0, 12.0), (-2.0, 0.0)))  # a metre a frame: nothing overlaps
TIMES = [number / 2 for number in range(8)]
PICTURE = ArrayPicture(draw((), (16, 16), seed=0))


def make_step(*on_ground: str) -> CameraTrackers:
    happened = TrackHappenings(Teller(CollectorRegistry(), logging.getLogger("test.track")))
    maker = GroundTrackerMaker(SETTINGS, POINTS)
    return CameraTrackers(lambda: ByteTracker(SETTINGS), happened, grounds=dict.fromkeys(on_ground, maker))


def track(
    step: CameraTrackers, seen: Detections, at_s: float, size: tuple[int, int] = FRAME_PX, camera_id: str = "gate"
) -> Tracks:
    """What the camera's tracker says of one frame of this size."""
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    info = FrameInfo(camera_id, 0, now, ClockSource.HOST, at_s, *size)
    return step.track(DetectedFrame(Frame(info, PICTURE), seen, ("person",))).tracks


def halved(frames: Sequence[Detections]) -> list[Detections]:
    """As frames of half the size show them."""
    return [Detections(frame.boxes / 2.0, frame.scores, frame.class_ids) for frame in frames]


@pytest.mark.parametrize("shrink", [1, 2])
def test_a_camera_with_known_ground_follows_what_overlap_loses(shrink: int) -> None:
    """At two frames a second, whatever the size of its frames; the camera beside it goes by overlap."""
    step, frames = make_step("gate"), watched(CAMERA, WALKERS, TIMES)
    shown = frames if shrink == 1 else halved(frames)
    size = (FRAME_PX[0] // shrink, FRAME_PX[1] // shrink)
    gate = [track(step, frame, at_s, size) for frame, at_s in zip(shown, TIMES, strict=True)]
    wall = [track(step, frame, at_s, size, "wall") for frame, at_s in zip(shown, TIMES, strict=True)]

    assert all(sorted(tracks.track_ids.tolist()) == [1, 2] for tracks in gate)
    assert not any(len(tracks) for tracks in wall[1:])


def test_frames_of_another_size_end_every_track_and_numbers_go_on() -> None:
    """Another size is another picture: what was followed is told as ended, and no number comes twice."""
    step, frames = make_step("gate"), watched(CAMERA, WALKERS, TIMES)
    for frame, at_s in zip(frames[:6], TIMES[:6], strict=True):
        before = track(step, frame, at_s)
    smaller = [track(step, frame, at_s, (640, 360)) for frame, at_s in zip(halved(frames[6:]), TIMES[6:], strict=True)]

    assert sorted(before.track_ids.tolist()) == [1, 2]
    assert sorted(smaller[0].ended_ids.tolist()) == [1, 2]
    assert {number for tracks in smaller for number in tracks.track_ids.tolist()} == {3, 4}


def test_a_restart_goes_on_with_frames_of_the_same_size() -> None:
    """The state says for which size it was; the numbers are kept."""
    first, second, frames = make_step("gate"), make_step("gate"), watched(CAMERA, WALKERS, TIMES)
    for frame, at_s in zip(frames[:6], TIMES[:6], strict=True):
        track(first, frame, at_s)
    state = first.export_state("gate")
    assert state is not None
    second.import_state("gate", state, TIMES[5])

    assert sorted(track(second, frames[6], TIMES[6]).track_ids.tolist()) == [1, 2]


def test_a_state_of_before_the_ground_was_known_is_let_go() -> None:
    """What was followed without the ground ends with the first frame; its numbers are not used again."""
    before, after, frames = make_step(), make_step("gate"), watched(CAMERA, WALKERS, TIMES)
    track(before, frames[0], TIMES[0])
    state = before.export_state("gate")
    assert state is not None
    after.import_state("gate", state, TIMES[0])
    tracks = track(after, frames[1], TIMES[1])

    assert sorted(tracks.ended_ids.tolist()) == [1, 2]
    assert min(tracks.track_ids) > 2


def test_a_state_of_other_ground_is_refused() -> None:
    """Somebody measured again: the camera begins afresh, as with any other setting."""
    elsewhere = GroundTrackerMaker(SETTINGS, [*POINTS[:3], GroundPointSettings(image=(0.3, 0.4), ground=(-4.0, 14.0))])
    state = elsewhere.make(FrameSize(*FRAME_PX)).export_state()

    with pytest.raises(TrackerStateError, match="ground_plane"):
        make_step("gate").import_state("gate", state, 0.0)
