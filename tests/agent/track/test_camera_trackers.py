"""The tracking step: one tracker a camera, and what it tells."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

import numpy as np
import pytest
from fakes.tracker import FakeTracker
from prometheus_client import CollectorRegistry

from agent.detect.detected import DetectedFrame
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo, GreyArray
from agent.telemetry.teller import Teller
from agent.telemetry.track import TrackHappenings
from agent.track.camera_motion import CameraMotionEstimator
from agent.track.camera_trackers import CameraTrackers
from trackers import ByteTracker, ByteTrackSettings, Detections

LABELS = ("person", "car")


class Blank:
    """A picture nobody looks at."""

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        return np.zeros((height_px, width_px, 3), np.uint8)

    def full(self) -> BgrArray:
        return self.scaled(64, 48)

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        return np.zeros((height_px, width_px), np.uint8)


def detected(camera_id: str, at_s: float, *class_ids: int) -> DetectedFrame:
    info = FrameInfo(camera_id, 0, datetime(2026, 1, 1, tzinfo=timezone.utc), ClockSource.HOST, at_s, 640, 480)
    boxes = np.array([[100.0 * place, 0.0, 100.0 * place + 50.0, 80.0] for place in range(len(class_ids))])
    seen = Detections(boxes.reshape(-1, 4), np.full(len(class_ids), 0.9), np.array(class_ids, np.int32))
    return DetectedFrame(Frame(info, Blank()), seen, LABELS)


class Bench:
    """The step with fake trackers that stay in reach, and its metrics."""

    def __init__(self, moving: tuple[str, ...] = ()) -> None:
        self.made: list[FakeTracker] = []
        self.registry = CollectorRegistry()
        teller = Teller(self.registry, logging.getLogger("test.track"))
        estimators = {camera_id: CameraMotionEstimator() for camera_id in moving}
        self.step = CameraTrackers(self.make, TrackHappenings(teller), estimators)

    def make(self) -> FakeTracker:
        self.made.append(FakeTracker())
        return self.made[-1]

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"sitewatch_{name}", labels)

    def findings(self, camera_id: str, finding: str) -> float | None:
        return self.value("camera_motion_estimates_total", camera=camera_id, finding=finding)


def test_each_camera_has_a_tracker_of_its_own() -> None:
    """Numbers of one camera do not depend on the other's."""
    bench = Bench()
    order = ["gate", "yard", "gate", "yard"]

    told = [bench.step.track(detected(camera_id, number / 10, 0)) for number, camera_id in enumerate(order)]

    assert [frame.tracks.track_ids.tolist() for frame in told] == [[1]] * 4
    assert [tracker.times_s for tracker in bench.made] == [[0.0, 0.2], [0.1, 0.3]]


def test_the_frame_and_labels_go_along() -> None:
    """What is tracked is the frame that was detected, with the labels of its model."""
    given = detected("gate", 5.0, 1)

    tracked = Bench().step.track(given)

    assert (tracked.frame, tracked.labels) == (given.frame, LABELS)
    assert tracked.tracks.class_ids.tolist() == [1]


def test_a_frame_without_detections_is_passed_on() -> None:
    """Otherwise nothing would ever end."""
    bench = Bench()
    bench.step.track(detected("gate", 0.0, 0, 1))

    assert bench.step.track(detected("gate", 0.1)).tracks.ended_ids.tolist() == [1, 2]
    assert bench.value("tracks_ended_total", camera="gate") == 2


def test_active_tracks_are_shown_by_label_and_fall_back_to_zero() -> None:
    """A gauge never keeps what has left."""
    bench = Bench()
    shown = []
    for number, class_ids in enumerate([(0, 1), (1,), (), (0,)]):
        bench.step.track(detected("gate", number / 10, *class_ids))
        shown.append([bench.value("tracks_active", camera="gate", label=label) for label in LABELS])

    assert shown == [[1, 1], [0, 1], [0, 0], [1, 0]]


def test_refused_detections_are_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A model that gives no boxes is told as such, in a line a period, and counted per camera."""
    bench = Bench()
    with caplog.at_level(logging.WARNING, logger="test.track"):
        for number, class_ids in enumerate([(0,), (-1, -1), (0, -1)]):
            bench.step.track(detected("gate", number / 10, *class_ids))
        bench.step.track(detected("yard", 0.0, 0))

    assert bench.value("detections_refused_total", camera="gate") == 3
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("gate: 2 detections left out")


def test_a_forgotten_camera_begins_afresh_and_others_go_on() -> None:
    """Its numbers end with the next frame; a camera never seen may be forgotten too."""
    bench = Bench()
    for camera_id in ("gate", "yard"):
        bench.step.track(detected(camera_id, 0.0, 0))
    bench.step.forget("gate")
    bench.step.forget("attic")

    gate, yard = (bench.step.track(detected(camera_id, 0.1, 0)).tracks for camera_id in ("gate", "yard"))

    assert (gate.track_ids.tolist(), gate.ended_ids.tolist()) == ([2], [1])
    assert (yard.track_ids.tolist(), yard.ended_ids.tolist()) == ([1], [])


def test_with_the_real_tracker_people_keep_their_numbers() -> None:
    """The shipped tracker behind the same seam, on the frames' own times."""
    teller = Teller(CollectorRegistry(), logging.getLogger("test.track"))
    step = CameraTrackers(lambda: ByteTracker(ByteTrackSettings()), TrackHappenings(teller))

    told = [step.track(detected("gate", 100.0 + number / 10, 0, 1)) for number in range(4)]

    assert [frame.tracks.track_ids.tolist() for frame in told] == [[1, 2]] * 4


class Textured(Blank):
    """A picture full of corners, moved to the right by so many pixels of the frame."""

    def __init__(self, shift_px: int) -> None:
        self._shift_px = shift_px

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        blocks = np.random.default_rng(0).integers(0, 255, (height_px // 8, width_px // 8), np.uint8)
        shift_px = self._shift_px * width_px // 640
        return np.ascontiguousarray(np.roll(blocks.repeat(8, 0).repeat(8, 1), shift_px, axis=1))


def seen_by(picture: Blank, camera_id: str, at_s: float) -> DetectedFrame:
    plain = detected(camera_id, at_s, 0)
    return DetectedFrame(Frame(plain.frame.info, picture), plain.detections, LABELS)


def test_the_tracker_of_a_moving_camera_is_told_its_motion() -> None:
    """Only of the camera that has an estimator; each finding is counted, and a forgotten camera begins anew."""
    bench = Bench(moving=("gate",))
    for number, shift_px in enumerate([0, 8, 8]):
        bench.step.track(seen_by(Textured(shift_px), "gate", number / 10))
        bench.step.track(seen_by(Textured(shift_px), "yard", number / 10))
    bench.step.forget("gate")
    bench.step.track(seen_by(Textured(16), "gate", 0.3))

    first, second, third, fourth = bench.made[0].camera_motions
    assert (first, third, fourth) == (None, None, None)
    assert second is not None
    np.testing.assert_allclose(second.matrix, [[1, 0, 8], [0, 1, 0]], atol=0.2)
    assert bench.made[1].camera_motions == [None] * 3
    assert [bench.findings("gate", finding) for finding in ("begun", "moved", "still")] == [2, 1, 1]
    assert bench.findings("yard", "begun") is None


def test_an_ignored_estimate_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A picture without texture moves no track; the log has a line a minute, not one a frame."""
    bench = Bench(moving=("gate",))
    with caplog.at_level(logging.INFO, logger="test.track"):
        for number in range(5):
            bench.step.track(seen_by(Blank(), "gate", number / 10))

    assert bench.made[0].camera_motions == [None] * 5
    assert bench.findings("gate", "ignored") == 4
    assert [message for message in caplog.messages if "camera motion not known" in message] == caplog.messages[:1]


def test_a_camera_that_is_dropped_leaves_nothing() -> None:
    """Not even its numbers; the others keep theirs."""
    bench = Bench()
    for camera_id in ("gate", "yard"):
        bench.step.track(detected(camera_id, 0.0, 0))
    bench.step.drop("gate")
    bench.step.drop("nobody")

    assert bench.step.export_state("gate") is None
    assert bench.step.export_state("yard") is not None
    assert bench.step.track(detected("gate", 1.0, 0)).tracks.track_ids.tolist() == [1]
    assert len(bench.made) == 3
