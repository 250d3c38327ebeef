"""Classes of detections and tracks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

PERSON, CAR, LORRY, MOTORCYCLE = 0, 2, 7, 3


def one(class_id: int, score: float = 0.9) -> Detections:
    return Detections(np.array([[0.0, 0.0, 80.0, 60.0]]), np.array([score]), np.array([class_id], np.int32))


def follow(settings: ByteTrackSettings, frames: Iterable[Detections]) -> list[Tracks]:
    tracker = ByteTracker(settings)
    return [tracker.update(frame, number / 10) for number, frame in enumerate(frames)]


def test_a_flickering_class_breaks_no_track_and_the_heavier_one_is_told() -> None:
    """A lorry sometimes taken for a car is one lorry."""
    told = follow(ByteTrackSettings(), [one(CAR, 0.7), *[one(LORRY), one(LORRY), one(CAR, 0.7)] * 5])

    assert [tracks.track_ids.tolist() for tracks in told] == [[1]] * 16
    assert [int(tracks.class_ids[0]) for tracks in told] == [CAR] + [LORRY] * 15


def test_across_classes_a_match_is_worth_less() -> None:
    """Rider and motorcycle, both where the other one was: each keeps its own number."""
    rider, motorcycle = [0.0, 0.0, 60.0, 100.0], [0.0, 20.0, 60.0, 120.0]
    classes = np.array([PERSON, MOTORCYCLE], np.int32)
    before = Detections(np.array([rider, motorcycle]), np.array([0.9, 0.9]), classes)
    after = Detections(np.array([motorcycle, rider]), np.array([0.9, 0.9]), classes)

    blind = follow(ByteTrackSettings(other_class_weight=1.0), [before, after])
    strict = follow(ByteTrackSettings(other_class_weight=0.3), [before, after])

    assert tops(blind) == [{1: 0.0, 2: 20.0}, {1: 0.0, 2: 20.0}]
    assert [set(each) for each in tops(strict)] == [{1, 2}] * 2
    assert tops(strict)[1][1] > tops(strict)[1][2]


def tops(told: list[Tracks]) -> list[dict[int, float]]:
    """Upper edge of each number, in each frame."""
    return [dict(zip(each.track_ids.tolist(), each.boxes[:, 1].round(6).tolist(), strict=True)) for each in told]


def test_weight_zero_never_matches_across_classes() -> None:
    """The strictest choice: another class is another object."""
    told = follow(ByteTrackSettings(other_class_weight=0.0), [one(CAR), one(LORRY), one(LORRY)])

    assert [tracks.track_ids.tolist() for tracks in told] == [[1], [], [2]]


def test_classes_of_a_group_count_as_one() -> None:
    """Even where other classes never match."""
    settings = ByteTrackSettings(other_class_weight=0.0, class_groups=((CAR, LORRY), (PERSON, MOTORCYCLE)))

    told = follow(settings, [one(CAR), one(LORRY), one(CAR), one(PERSON), one(PERSON)])

    assert [tracks.track_ids.tolist() for tracks in told] == [[1], [1], [1], [], [2]]
