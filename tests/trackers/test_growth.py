"""Time and memory belong to the living: however many tracks there ever were, an update costs what it did at first."""

from __future__ import annotations

import gc
import pickle
import sys
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import trackers
from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

BOTH = {"default": ByteTrackSettings(), "reference": ByteTrackSettings.reference(frame_rate=2.0)}
TRACKS, STRETCH = 20_000, 2_000


class LongLife(NamedTuple):
    """A tracker after so many tracks: what it held and did in an early and in a late stretch.

    Attributes:
        last_id: the greatest number told.
        held_bytes: size of all that it holds, after each stretch.
        traced_bytes: what the second half of the late stretch left behind.
        calls: of functions of Python and C, in each stretch.
    """

    last_id: int
    held_bytes: tuple[int, int]
    traced_bytes: int
    calls: tuple[int, int]


def test_memory_is_flat_over_twenty_thousand_tracks(long_life: LongLife) -> None:
    """No more is held late in life than early; not 16 bytes a track are left behind."""
    early, late = long_life.held_bytes

    assert long_life.last_id >= TRACKS
    assert late <= early * 1.02
    assert long_life.traced_bytes < 16 * STRETCH // 2


def test_work_is_flat_over_twenty_thousand_tracks(long_life: LongLife) -> None:
    """The same scene takes as many calls late in life as early."""
    early, late = long_life.calls

    assert 0 < late <= early * 1.02


@pytest.fixture(scope="module", params=[8, 100], ids=["few at a time", "many at a time"])
def crowd(request: pytest.FixtureRequest) -> int:
    """How many people are there at once."""
    size: int = request.param
    return size


@pytest.fixture(scope="module", params=BOTH.values(), ids=BOTH.keys())
def long_life(request: pytest.FixtureRequest, crowd: int) -> LongLife:
    """Twenty thousand short lives, in crowds."""
    tracker = ByteTracker(request.param)
    short_lives(tracker, crowd, 0, STRETCH)
    early_calls, early_bytes = calls_of(tracker, crowd, STRETCH), len(pickle.dumps(tracker))
    short_lives(tracker, crowd, 2 * STRETCH, TRACKS - 2 * STRETCH)
    traced = traced_by(tracker, crowd, TRACKS - 2 * STRETCH)
    late_calls, late_bytes = calls_of(tracker, crowd, TRACKS - STRETCH), len(pickle.dumps(tracker))
    last = short_lives(tracker, crowd, TRACKS, TRACKS + crowd)[-1]
    return LongLife(int(last.track_ids.max()), (early_bytes, late_bytes), traced, (early_calls, late_calls))


def short_lives(tracker: ByteTracker, crowd: int, first: int, last: int) -> list[Tracks]:
    """Tracks numbered so, a crowd a second: each is seen twice and never again."""
    told = []
    for number in range(first // crowd, last // crowd):
        people = in_a_row(crowd, 200.0 * (number % 20))
        told = [tracker.update(people, number + 0.0), tracker.update(people, number + 0.5)]
    return told


def calls_of(tracker: ByteTracker, crowd: int, begin: int) -> int:
    """How many functions are called in a stretch."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        short_lives(tracker, crowd, begin, begin + STRETCH)
    finally:
        sys.setprofile(None)
    return calls


def traced_by(tracker: ByteTracker, crowd: int, begin: int) -> int:
    """How many bytes more are in use after the second half of a stretch than after its first."""
    middle, used = begin + STRETCH // 2, []
    tracemalloc.start()
    try:
        for first, last in ((begin, middle), (middle, begin + STRETCH)):
            short_lives(tracker, crowd, first, last)
            gc.collect()
            used.append(_held_by_trackers())
    finally:
        tracemalloc.stop()
    return used[1] - used[0]


def _held_by_trackers() -> int:
    """What was allocated by the package's own lines: threads that other tests left behind allocate, too."""
    lines = tracemalloc.Filter(inclusive=True, filename_pattern=f"{Path(trackers.__file__).parent}/*")
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([lines]).traces)


def in_a_row(crowd: int, top: float) -> Detections:
    """So many people side by side."""
    left = 100.0 * np.arange(crowd)
    boxes = np.stack((left, np.full(crowd, top), left + 40.0, np.full(crowd, top + 80.0)), axis=1)
    return Detections(boxes, np.full(crowd, 0.9), np.zeros(crowd, np.int32))
