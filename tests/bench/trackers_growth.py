"""Prints time and memory of the tracker over twenty thousand tracks: its first thousand updates against its last.

A ratio of 1 is flat. python tests/bench/trackers_growth.py
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from typing import NamedTuple

import numpy as np

from trackers import ByteTracker, ByteTrackSettings, Detections

RATE = 10.0
STAY = 10  # updates for which one crowd is seen
STRETCH = 1_000  # updates
TRACKS = 20_000
SETS = {"default": ByteTrackSettings(), "reference": ByteTrackSettings.reference(frame_rate=RATE)}
COLUMNS = ("set", "objects", "tracks", "first", "last", "ratio", "first", "last", "ratio")


class Stretch(NamedTuple):
    """A thousand updates: median microseconds of one, bytes in use after them, and tracks that ever lived."""

    median_us: float
    used_bytes: int
    tracks: int


def main() -> None:
    """One line a parameter set and number of objects."""
    print("".join(f"{name:>12}" for name in COLUMNS))
    for name, settings in SETS.items():
        for crowd in (10, 100):
            first, last = lived(settings, crowd)
            first_bytes, last_bytes = (each.used_bytes for each in traced(settings, crowd))
            print(
                f"{name:>12}{crowd:>12}{last.tracks:>12}"
                f"{first.median_us:>9.0f} us{last.median_us:>9.0f} us{last.median_us / first.median_us:>12.2f}"
                f"{first_bytes / 1024:>8.1f} KiB{last_bytes / 1024:>8.1f} KiB{last_bytes / first_bytes:>12.2f}",
                flush=True,
            )


def lived(settings: ByteTrackSettings, crowd: int) -> tuple[Stretch, Stretch]:
    """The first and the last stretch of a tracker's life."""
    tracker, updates = ByteTracker(settings), max(TRACKS // crowd * STAY, 2 * STRETCH)
    first = stretch(tracker, crowd, 0)
    for begin in range(STRETCH, updates - STRETCH, STRETCH):
        stretch(tracker, crowd, begin)
    return first, stretch(tracker, crowd, updates - STRETCH)


def traced(settings: ByteTrackSettings, crowd: int) -> tuple[Stretch, Stretch]:
    """The same with memory traced, which takes several times as long."""
    tracemalloc.start()
    try:
        return lived(settings, crowd)
    finally:
        tracemalloc.stop()


def stretch(tracker: ByteTracker, crowd: int, begin: int) -> Stretch:
    """A thousand updates from this one on."""
    spent, greatest = np.zeros(STRETCH), 0
    for number in range(begin, begin + STRETCH):
        frame = seen(number, crowd)
        began = time.perf_counter()
        tracks = tracker.update(frame, number / RATE)
        spent[number - begin] = time.perf_counter() - began
        greatest = max(greatest, int(tracks.track_ids.max(initial=0)))
    del frame, tracks
    gc.collect()
    return Stretch(1e6 * statistics.median(spent.tolist()), tracemalloc.get_traced_memory()[0], greatest)


def seen(number: int, crowd: int) -> Detections:
    """So many people who walk side by side; others, elsewhere, after every few updates."""
    visit, age = divmod(number, STAY)
    left, top = 100.0 * np.arange(crowd) + 3.0 * age, 200.0 * (visit % 20)
    boxes = np.stack((left, np.full(crowd, top), left + 40.0, np.full(crowd, top + 80.0)), axis=1)
    return Detections(boxes, np.full(crowd, 0.9), np.zeros(crowd, np.int32))


if __name__ == "__main__":
    main()
