"""What holds for every scene: numbers and ends, times, thresholds, and what is no box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes.moving import detections_of, scenes
from scenes.playing import DEFAULT, REFERENCE, assert_same, every_scene, go_on, play

from trackers import ByteTracker, ByteTrackSettings, Detections
from trackers.bytetrack.tracker import ScenePath

both = pytest.mark.parametrize("chosen", [DEFAULT, REFERENCE], ids=["default", "reference"])
GAPS_S = (0.1, 0.1, 0.0, -0.1, -1e6, 1 / 30, 0.21, 0.4, 0.99, 1.01, 2.5, 60.0, 1e9)
QUIET = [Detections.empty()] * 15
NO_BOXES = (
    (np.nan, 0.0, 40.0, 80.0, 0.9, 0.0),
    (0.0, 0.0, np.inf, 80.0, 0.9, 0.0),
    (-np.inf, 0.0, np.inf, 80.0, 0.9, 0.0),
    (0.0, 0.0, 40.0, 80.0, np.nan, 0.0),
    (0.0, 0.0, 40.0, 80.0, np.inf, 0.0),
    (40.0, 0.0, 0.0, 80.0, 0.9, 0.0),
    (0.0, 80.0, 40.0, 0.0, 0.9, 0.0),
    (0.0, 0.0, 40.0, 0.0, 0.9, 0.0),
    (0.0, 0.0, 0.0, 80.0, 0.9, 0.0),
    (0.0, 0.0, 1e300, 80.0, 0.9, 0.0),
)


def times_of(frames: int) -> st.SearchStrategy[list[float]]:
    """Regular, repeated, backward, and with gaps of all lengths."""
    gaps = st.lists(st.sampled_from(GAPS_S), min_size=frames, max_size=frames)
    return gaps.map(lambda each: np.cumsum(each).tolist())


@both
@every_scene
@given(frames=scenes(), times=times_of(20))
def test_numbers_are_given_once_and_end_once(
    chosen: ByteTrackSettings, frames: list[Detections], times: list[float]
) -> None:
    """At whatever times: never twice in a frame, never after their end, and in the end all have ended."""
    after = [times[-1] + 0.1 * step for step in range(1, len(QUIET) + 1)]
    known: set[int] = set()
    over: set[int] = set()
    for tracks in play(chosen, [*frames, *QUIET], [*times, *after]):
        numbers, ends = tracks.track_ids.tolist(), tracks.ended_ids.tolist()
        assert len(set(numbers)) == len(numbers)
        assert len(set(ends)) == len(ends)
        assert set(ends) <= known - over
        over.update(ends)
        assert not set(numbers) & over
        known.update(numbers)

    assert over == known
    assert min(known, default=1) >= 1


@every_scene
@given(frames=scenes(), times=times_of(20))
def test_numbers_count_up_without_gaps(frames: list[Detections], times: list[float]) -> None:
    """By default the numbers told for the first time are always the next ones, from 1."""
    last = 0
    for tracks in play(DEFAULT, frames, times):
        new = sorted(number for number in tracks.track_ids.tolist() if number > last)
        assert new == list(range(last + 1, last + 1 + len(new)))
        last += len(new)


@both
@every_scene
@given(frames=scenes(), times=times_of(20))
def test_boxes_stay_boxes(chosen: ByteTrackSettings, frames: list[Detections], times: list[float]) -> None:
    """However long a step and however the object grew or shrank before it."""
    for tracks in play(chosen, frames, times):
        assert np.isfinite(tracks.boxes).all()
        assert (tracks.boxes[:, 2:] > tracks.boxes[:, :2]).all()


@every_scene
@given(frames=scenes(), times=times_of(20), patience_s=st.sampled_from([0.0, 0.3, 1.0, 5.0]))
def test_nothing_is_found_again_after_its_patience(
    frames: list[Detections], times: list[float], patience_s: float
) -> None:
    """Between two reports of one number that an update without it lies between, no more than the patience passes."""
    told = play(ByteTrackSettings(lost_patience_s=patience_s), frames, times)
    now = np.cumsum(np.maximum(np.diff(times, prepend=times[0]), 0.0)).tolist()
    last_seen: dict[int, int] = {}
    for frame, tracks in enumerate(told):
        for number in tracks.track_ids.tolist():
            before = last_seen.get(number, frame)
            assert frame - before < 2 or now[frame] - now[before] <= patience_s + 1e-3
            last_seen[number] = frame


@both
@every_scene
@given(frames=scenes(), bad=st.lists(st.sampled_from(NO_BOXES), min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_what_is_no_box_is_counted_and_changes_nothing(
    chosen: ByteTrackSettings, frames: list[Detections], bad: list[Sequence[float]], seed: int
) -> None:
    """Wherever among the good ones it stands, and whatever they are."""
    random, tracker = np.random.default_rng(seed), ByteTracker(chosen)
    spoilt = [strewn(frame, np.array(bad), random) for frame in frames]

    assert_same(go_on(tracker, spoilt), play(chosen, frames))
    assert tracker.refused == len(bad) * len(frames)


def strewn(frame: Detections, bad: np.ndarray, random: np.random.Generator) -> Detections:
    """The detections in their order, with bad rows at chance places between them."""
    rows = np.column_stack((frame.boxes, frame.scores, frame.class_ids))
    return detections_of(np.insert(rows, random.integers(0, len(rows) + 1, len(bad)), bad, axis=0))


GOOD = [10.0, 10.0, 50.0, 90.0]
thresholds = st.integers(1, 99).map(lambda percent: percent / 100)
precisions = st.sampled_from([np.float32, np.float64])
paths = pytest.mark.parametrize("path", [ScenePath.SCALARS, ScenePath.ARRAYS])


def lengths(chosen: ByteTrackSettings, scores: Sequence[np.floating | float | None], path: ScenePath) -> list[int]:
    """How many tracks are told of one box that stays; by its score in each frame, None where it is not seen."""
    frames = [Detections.empty() if score is None else seen(score) for score in scores]
    return [len(tracks) for tracks in play(chosen, frames, path=path)]


def seen(score: np.floating | float) -> Detections:
    """One box; the score keeps its precision."""
    return Detections(np.array([GOOD]), np.array([score]), np.zeros(1, np.int32))


def below(score: np.floating) -> np.floating:
    """The next lower number of the same precision."""
    return np.nextafter(score, type(score)(0.0))


@paths
@every_scene
@given(threshold=thresholds, precision=precisions)
def test_a_score_on_the_threshold_of_new_tracks_begins_one(
    path: ScenePath, threshold: float, precision: type[np.floating]
) -> None:
    """And the next lower number there is does not; in the precision the score was given in."""
    chosen = ByteTrackSettings(high_threshold=0.005, low_threshold=0.005, new_track_threshold=threshold)
    score = precision(threshold)

    assert lengths(chosen, [score], path) == [1]
    assert lengths(chosen, [below(score)], path) == [0]


@paths
@every_scene
@given(threshold=thresholds, precision=precisions)
def test_a_score_on_the_high_threshold_finds_a_lost_track(
    path: ScenePath, threshold: float, precision: type[np.floating]
) -> None:
    """What is lower only continues followed ones."""
    chosen = ByteTrackSettings(
        high_threshold=threshold, low_threshold=0.005, new_track_threshold=1.0, high_cost_limit=1.0
    )
    score = precision(threshold)

    assert lengths(chosen, [1.0, None, score], path) == [1, 0, 1]
    assert lengths(chosen, [1.0, None, below(score)], path) == [1, 0, 0]


@paths
@every_scene
@given(threshold=thresholds, precision=precisions)
def test_a_score_on_the_low_threshold_continues_a_track(
    path: ScenePath, threshold: float, precision: type[np.floating]
) -> None:
    """And the next lower number there is is no detection at all."""
    chosen = ByteTrackSettings(high_threshold=0.995, low_threshold=threshold, new_track_threshold=0.995)
    score = precision(threshold)

    assert lengths(chosen, [1.0, score], path) == [1, 1]
    assert lengths(chosen, [1.0, below(score)], path) == [1, 0]


@paths
@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [REFERENCE.low_threshold, REFERENCE.high_threshold])
def test_the_published_set_loses_a_score_on_its_threshold(
    path: ScenePath, threshold: float, precision: type[np.floating]
) -> None:
    """On the high threshold it is neither high nor low, on the low one it is nothing; a hair above it counts."""
    score = precision(threshold)

    assert lengths(REFERENCE, [1.0, score], path) == [1, 0]
    assert lengths(REFERENCE, [1.0, np.nextafter(score, precision(1.0))], path) == [1, 1]
