"""What the tracker makes of a camera that moves, when it is told how."""

from __future__ import annotations

import numpy as np
import pytest
from scenes.camera_paths import PATHS, between, carried

from trackers import ByteTracker, ByteTrackSettings, CameraMotion, Detections
from trackers.bytetrack.tracker import ScenePath

FRAMES, FPS = 80, 10.0
HURLED = CameraMotion(np.array([[1.0, 0.0, 150.0], [0.0, 1.0, -90.0]]))


def walkers(frame: int, count: int = 8) -> np.ndarray:
    """(N, 4) people who walk through each other's ways, each with a walk of its own."""
    random = np.random.default_rng(3)
    begin, pace = random.uniform((150, 120), (600, 450), (count, 2)), random.uniform(-2.5, 2.5, (count, 2))
    height = random.uniform(60, 110, count)
    centres, half = begin + pace * frame, 0.5 * np.column_stack((0.4 * height, height))
    return np.concatenate((centres - half, centres + half), axis=1)


def seen(boxes: np.ndarray) -> Detections:
    return Detections(boxes, np.linspace(0.75, 0.95, len(boxes)), np.zeros(len(boxes), np.int32))


def told(path: str, *, compensated: bool, count: int = 8) -> list[dict[int, int]]:
    """Of each frame, which walker has which number."""
    tracker, before, numbers = ByteTracker(ByteTrackSettings()), PATHS[path](0.0), []
    for frame in range(FRAMES):
        now = PATHS[path](frame / FPS)
        boxes = carried(walkers(frame, count), now)
        motion = CameraMotion(between(before, now)) if compensated else None
        tracks = tracker.update(seen(boxes), frame / FPS, motion)
        nearest = np.abs(tracks.boxes[:, None] - boxes).sum(axis=2).argmin(axis=1)
        numbers.append(dict(zip(nearest.tolist(), tracks.track_ids.tolist(), strict=True)))
        before = now
    return numbers


@pytest.mark.parametrize("path", ["pan", "sway", "zoom", "presets", "ride"])
def test_identities_are_those_of_a_still_camera(path: str) -> None:
    """Told of the motion, the tracker says of every frame what it says when nothing moves."""
    assert told(path, compensated=True) == told("still", compensated=False)


@pytest.mark.parametrize("path", ["presets", "ride"])
def test_without_being_told_it_loses_them(path: str) -> None:
    """So the test above shows something."""
    assert told(path, compensated=False) != told("still", compensated=False)


def test_many_objects_are_carried_too() -> None:
    """Sixty objects are computed in arrays from the first frame on."""
    assert told("sway", compensated=True, count=60) == told("still", compensated=False, count=60)


@pytest.mark.parametrize("way", list(ScenePath))
def test_a_motion_of_nothing_changes_nothing(way: ScenePath) -> None:
    """Whatever computes the updates, to the last bit."""
    still = CameraMotion(np.eye(2, 3))
    first, second = (ByteTracker(ByteTrackSettings(), way) for _ in range(2))

    for frame in range(20):
        plain = first.update(seen(walkers(frame)), frame / FPS)
        carried_along = second.update(seen(walkers(frame)), frame / FPS, still if frame % 3 else None)
        assert plain.track_ids.tolist() == carried_along.track_ids.tolist()
        assert plain.boxes.tolist() == carried_along.boxes.tolist()


def test_a_track_on_probation_is_carried_too() -> None:
    """Who came in the frame before the camera was hurled round is confirmed in the frame after it."""
    tracker = ByteTracker(ByteTrackSettings())
    tracker.update(Detections.empty(), 0.0)
    tracker.update(seen(walkers(0)), 0.1)

    tracks = tracker.update(seen(carried(walkers(1), HURLED.matrix)), 0.2, HURLED)

    assert len(tracks) == 8


def test_a_lost_track_is_carried_too() -> None:
    """Who was hidden while the camera was hurled round is found again."""
    tracker = ByteTracker(ByteTrackSettings())
    numbers = [tracker.update(seen(walkers(0)), frame / FPS).track_ids.tolist() for frame in range(3)]
    tracker.update(Detections.empty(), 0.3, HURLED)

    assert tracker.update(seen(carried(walkers(0), HURLED.matrix)), 0.4).track_ids.tolist() == numbers[-1]


def test_the_first_frame_may_come_with_a_motion() -> None:
    """There is nothing to carry, and nothing happens."""
    assert len(ByteTracker(ByteTrackSettings()).update(seen(walkers(0)), 0.0, HURLED)) == 8
