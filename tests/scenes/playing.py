"""Playing a scene to a tracker, and comparing what two told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import HealthCheck, settings
from scenes.moving import FRAME_RATE

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks
from trackers.bytetrack.tracker import ScenePath

# The same scenes in every run, and none of it fails for being slow.
every_scene = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
DEFAULT, REFERENCE = ByteTrackSettings(), ByteTrackSettings.reference(frame_rate=FRAME_RATE)


def play(
    chosen: ByteTrackSettings,
    frames: Sequence[Detections],
    times: Sequence[float] | None = None,
    path: ScenePath = ScenePath.MEASURED,
) -> list[Tracks]:
    """By a new tracker, at the scenes' own rate or at these times."""
    return go_on(ByteTracker(chosen, path), frames, times)


def go_on(tracker: ByteTracker, frames: Sequence[Detections], times: Sequence[float] | None = None) -> list[Tracks]:
    """By this tracker, at the scenes' own rate or at these times."""
    at = [number / FRAME_RATE for number in range(len(frames))] if times is None else times
    return [tracker.update(frame, at_s) for frame, at_s in zip(frames, at, strict=True)]


def assert_same(one: Sequence[Tracks], other: Sequence[Tracks]) -> None:
    """To the last bit, order and numbers included."""
    for first, second in zip(one, other, strict=True):
        for column in ("boxes", "scores", "class_ids", "track_ids", "ended_ids"):
            np.testing.assert_array_equal(getattr(first, column), getattr(second, column))


def assert_same_lives(one: Sequence[Tracks], other: Sequence[Tracks]) -> None:
    """To the last bit, but for the order of rows and for which number is whose."""
    renamed: dict[int, int] = {}
    for first, second in zip(one, other, strict=True):
        row, peer = np.lexsort(first.boxes.T), np.lexsort(second.boxes.T)
        for column in ("boxes", "scores", "class_ids"):
            np.testing.assert_array_equal(getattr(first, column)[row], getattr(second, column)[peer])
        for name, new_name in zip(first.track_ids[row].tolist(), second.track_ids[peer].tolist(), strict=True):
            assert renamed.setdefault(name, new_name) == new_name
        assert sorted(renamed[name] for name in first.ended_ids.tolist()) == sorted(second.ended_ids.tolist())
    assert len(set(renamed.values())) == len(renamed)
