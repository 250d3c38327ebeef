"""Plain numbers for few objects and arrays for many: nobody sees from outside which it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes.moving import FRAME_RATE, scenes
from scenes.playing import DEFAULT, REFERENCE, assert_same, every_scene, go_on, play

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks
from trackers.boxes import DENSE_PAIRS
from trackers.bytetrack.arrays.scene import ArrayScene
from trackers.bytetrack.tracker import FEW, MANY, ScenePath

GROUPED = ByteTrackSettings(other_class_weight=0.5, class_groups=((2, 3),), lost_patience_s=0.4)
all_sets = pytest.mark.parametrize("chosen", [DEFAULT, REFERENCE, GROUPED], ids=["default", "reference", "grouped"])
GAPS_S = (0.1, 0.1, 0.1, 0.0, -0.1, 0.3, 0.41, 1.5)


def by(
    path: ScenePath, chosen: ByteTrackSettings, frames: Sequence[Detections], times: Sequence[float]
) -> list[Tracks]:
    """What a tracker tells that computes this way."""
    return play(chosen, frames, times, path)


@all_sets
@every_scene
@given(frames=scenes(), gaps=st.lists(st.sampled_from(GAPS_S), min_size=20, max_size=20))
def test_both_ways_tell_the_same(chosen: ByteTrackSettings, frames: list[Detections], gaps: list[float]) -> None:
    """To the last bit, in the same order, at whatever times."""
    times = np.cumsum(gaps).tolist()

    assert_same(by(ScenePath.SCALARS, chosen, frames, times), by(ScenePath.ARRAYS, chosen, frames, times))


@all_sets
@every_scene
@given(data=st.data(), precision=st.sampled_from([np.float32, np.float16]))
def test_both_ways_tell_the_same_of_coarse_numbers(
    chosen: ByteTrackSettings, data: st.DataObject, precision: type[np.floating]
) -> None:
    """Scores on thresholds, equal boxes and equal scores: ties are broken alike."""
    frames = [coarse(frame, precision) for frame in data.draw(scenes(frames=12))]
    times = [number / FRAME_RATE for number in range(len(frames))]

    assert_same(by(ScenePath.SCALARS, chosen, frames, times), by(ScenePath.ARRAYS, chosen, frames, times))


def coarse(frame: Detections, precision: type[np.floating]) -> Detections:
    """Boxes on a grid of 10 px, scores in tenths, every detection twice."""
    boxes, scores = np.round(frame.boxes, -1), np.round(frame.scores, 1).astype(precision)
    twice = np.arange(len(frame)).repeat(2)
    return Detections(boxes[twice], scores[twice], frame.class_ids[twice])


@all_sets
@pytest.mark.parametrize("seed", range(2))
def test_the_way_changes_while_the_crowd_comes_and_goes(chosen: ByteTrackSettings, seed: int) -> None:
    """From few to many and back, several times: as if it had never changed."""
    frames = swelling(seed, most=MANY + 20)
    tracker = ByteTracker(chosen)
    told: list[Tracks] = []
    ways: list[bool] = []
    for number, frame in enumerate(frames):
        told.append(tracker.update(frame, number / FRAME_RATE))
        ways.append(isinstance(tracker._scene, ArrayScene))
    times = [number / FRAME_RATE for number in range(len(frames))]

    assert_same(told, by(ScenePath.ARRAYS, chosen, frames, times))
    assert_same(told, by(ScenePath.SCALARS, chosen, frames, times))
    assert np.count_nonzero(np.diff(ways)) >= 4


def test_the_way_is_the_one_for_so_many_objects() -> None:
    """Between the two limits it stays as it was."""
    tracker, ways = ByteTracker(DEFAULT), {}
    for count in (1, MANY - 1, MANY, FEW, FEW - 1, MANY - 1):
        tracker.reset()
        tracker.update(apart(count), float(len(ways)))
        ways[len(ways)] = isinstance(tracker._scene, ArrayScene)

    assert list(ways.values()) == [False, False, True, True, False, False]


@pytest.mark.parametrize("chosen", [DEFAULT, REFERENCE], ids=["default", "reference"])
def test_both_ways_tell_the_same_of_a_dense_crowd(chosen: ByteTrackSettings) -> None:
    """So many that pairs are looked for in a sweep, and so close that the solver is needed."""
    count = int(DENSE_PAIRS**0.5) + 20
    frames = crowd(np.full(12, count), np.random.default_rng(5))
    times = [number / FRAME_RATE for number in range(len(frames))]

    assert_same(by(ScenePath.SCALARS, chosen, frames, times), by(ScenePath.ARRAYS, chosen, frames, times))


@every_scene
@given(frames=scenes())
def test_a_reset_forgets_alike(frames: list[Detections]) -> None:
    """Ends, numbers and the first frame after it."""
    trackers = [ByteTracker(DEFAULT, each) for each in (ScenePath.SCALARS, ScenePath.ARRAYS)]
    told = []
    for tracker in trackers:
        before = go_on(tracker, frames)
        tracker.reset()
        told.append(before + go_on(tracker, frames))

    assert_same(*told)


def swelling(seed: int, most: int) -> list[Detections]:
    """A crowd that comes and goes three times, with quiet between for longer than any patience."""
    wave = np.sin(np.linspace(0.0, 3 * np.pi, 180)) ** 2
    return crowd(np.round(wave * most).astype(int), np.random.default_rng(seed))


def crowd(counts: np.ndarray, random: np.random.Generator) -> list[Detections]:
    """So many people in each frame, always the same ones first, who wander and cover each other."""
    most = int(max(counts))
    centre, pace = random.uniform(0, 600, (most, 2)), random.normal(0, 5, (most, 2))
    half = random.uniform(20, 50, (most, 2))
    frames = []
    for count in counts:
        centre += pace + random.normal(0, 1, (most, 2))
        seen = np.flatnonzero(random.random(most) > 0.1)
        seen = seen[seen < count]
        boxes = np.concatenate((centre - half, centre + half), axis=1)[seen]
        classes = random.choice(np.array([0, 2, 3], np.int32), len(seen), p=[0.8, 0.1, 0.1])
        frames.append(Detections(boxes, random.uniform(0.05, 1.0, most)[seen] ** 0.4, classes))
    return frames


def apart(count: int) -> Detections:
    """So many people who stand in a row."""
    left = 100.0 * np.arange(count)
    boxes = np.stack((left, np.zeros(count), left + 40.0, np.full(count, 80.0)), axis=1)
    return Detections(boxes, np.full(count, 0.9), np.zeros(count, np.int32))
