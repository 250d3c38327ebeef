"""Tracking with a known ground: what it mends, and what it must not change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scenes.on_ground import FRAME_PX, Camera, Walker, watched

from trackers import ByteTracker, ByteTrackSettings, Detections, TrackerState, Tracks
from trackers.bytetrack.tracker import ScenePath

CAMERA = Camera()
GROUND = ByteTrackSettings(ground_plane=CAMERA.plane())
LANES = [(near, gap, pace) for near in (9.0, 11.0, 13.0) for gap in (0.6, 1.0, 1.5, 2.0) for pace in (1.2, 1.5)]


def follow(chosen: ByteTrackSettings, frames: Sequence[Detections], times: Sequence[float]) -> list[Tracks]:
    tracker = ByteTracker(chosen)
    return [tracker.update(frame, at_s) for frame, at_s in zip(frames, times, strict=True)]


def numbers(told: Sequence[Tracks], frames: Sequence[Detections], person: int) -> set[int]:
    """Of the tracks that lie nearest to this person's detections."""
    found = set()
    for tracks, frame in zip(told, frames, strict=True):
        if len(tracks):
            found.add(int(tracks.track_ids[np.abs(tracks.boxes - frame.boxes[person]).max(axis=1).argmin()]))
    return found


def times_at(rate: float, seconds: float = 6.0) -> list[float]:
    return [number / rate for number in range(int(seconds * rate))]


def kept(chosen: ByteTrackSettings, rate: float) -> int:
    """In how many scenes two people who cross each other's way keep one number each."""
    count = 0
    for near, gap, pace in LANES:
        walkers = (Walker((-4.0, near), (pace, 0.0)), Walker((4.0, near + gap), (-pace, 0.0)))
        frames = watched(CAMERA, walkers, times_at(rate))
        told = follow(chosen, frames, times_at(rate))
        count += all(len(numbers(told, frames, person)) == 1 for person in (0, 1))
    return count


def test_at_two_frames_a_second_crossing_people_keep_their_numbers() -> None:
    """Boxes no longer overlap from frame to frame there, and IoU loses many; on the ground none is lost."""
    assert kept(GROUND, 2.0) == len(LANES)
    assert kept(ByteTrackSettings(), 2.0) <= 2 * len(LANES) // 3


def test_at_ten_frames_a_second_nothing_is_lost_by_it() -> None:
    """Where IoU does, the ground does too."""
    assert kept(GROUND, 10.0) == len(LANES)


@pytest.mark.parametrize("unit", [100.0, 0.001, 3.281])
def test_the_unit_of_the_ground_changes_nothing(unit: float) -> None:
    """Centimetres, kilometres or feet: the same tracks."""
    random = np.random.default_rng(7)
    walkers = [Walker((x, y), (v, w)) for x, y, v, w in random.uniform((-5, 8, -2, -1), (5, 25, 2, 1), (12, 4))]
    frames = watched(CAMERA, walkers, times_at(5.0))
    expected = follow(GROUND, frames, times_at(5.0))
    told = follow(ByteTrackSettings(ground_plane=CAMERA.plane(unit)), frames, times_at(5.0))

    assert any(len(tracks) for tracks in told)
    for one, other in zip(expected, told, strict=True):
        np.testing.assert_array_equal(one.track_ids, other.track_ids)
        np.testing.assert_allclose(one.boxes, other.boxes, rtol=1e-9)


def test_whose_feet_are_never_seen_are_followed_as_without_the_ground() -> None:
    """To the last bit: every box is cut by the picture's bottom border."""
    random = np.random.default_rng(3)
    left = random.uniform(0.0, 1200.0, 15)
    frames = []
    for number in range(40):
        x = left + 8.0 * number * np.sign(640.0 - left)
        boxes = np.stack((x, np.full(15, 400.0), x + 80.0, np.full(15, float(FRAME_PX[1]))), axis=1)
        frames.append(Detections(boxes, random.uniform(0.3, 1.0, 15), np.zeros(15, np.int32)))
    times = times_at(10.0, 4.0)

    for one, other in zip(follow(GROUND, frames, times), follow(ByteTrackSettings(), frames, times), strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.track_ids, other.track_ids)


def test_time_counted_in_frames_is_the_same_as_in_seconds() -> None:
    """The ground's filter goes by seconds; a frame rate says how long a frame is."""
    frames = watched(CAMERA, (Walker((-4.0, 10.0), (1.4, 0.0)),), times_at(2.0))
    in_frames = ByteTrackSettings(ground_plane=CAMERA.plane(), frame_rate=2.0)

    assert numbers(follow(in_frames, frames, times_at(2.0)), frames, 0) == {1}


def test_a_restart_keeps_numbers_on_the_ground() -> None:
    """The ground's part of the state is not kept: it begins where the boxes are and as fast as they go."""
    walkers = (Walker((-4.0, 10.0), (1.4, 0.0)), Walker((4.0, 11.0), (-1.4, 0.0)))
    times = times_at(5.0)
    frames = watched(CAMERA, walkers, times)
    first, second = ByteTracker(GROUND), ByteTracker(GROUND)
    told = [first.update(frame, at_s) for frame, at_s in zip(frames[:12], times[:12], strict=True)]
    second.import_state(TrackerState.from_json(first.export_state().to_json()), times[11])
    told += [second.update(frame, at_s) for frame, at_s in zip(frames[12:], times[12:], strict=True)]

    assert sorted(map(len, (numbers(told, frames, person) for person in (0, 1)))) == [1, 1]


def test_scenes_with_ground_are_computed_in_arrays() -> None:
    """However few objects: plain numbers know no ground."""
    frames, times = watched(CAMERA, (Walker((-4.0, 10.0), (1.4, 0.0)),), times_at(2.0)), times_at(2.0)
    in_arrays = ByteTracker(GROUND, ScenePath.ARRAYS)

    for chosen, frame, at_s in zip(follow(GROUND, frames, times), frames, times, strict=True):
        np.testing.assert_array_equal(chosen.track_ids, in_arrays.update(frame, at_s).track_ids)
