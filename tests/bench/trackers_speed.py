"""Prints the median microseconds of one update, by number of objects, for both parameter sets.

python tests/bench/trackers_speed.py
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from trackers import ByteTracker, ByteTrackSettings, Detections

WIDTH_PX, HEIGHT_PX = 1920.0, 1080.0
COVERED = 0.3  # sum of the boxes' areas, as part of the picture
ASPECT = 0.45
FRAMES, WARM_UP = 150, 30


def scene(count: int) -> list[Detections]:
    """Objects that wander and bounce off the borders; scores vary and some are missed."""
    random = np.random.default_rng(count)
    height = np.sqrt(COVERED * WIDTH_PX * HEIGHT_PX / count / ASPECT) * random.uniform(0.8, 1.2, count)
    borders = np.array([WIDTH_PX, HEIGHT_PX])
    centre = random.uniform(0.0, 1.0, (count, 2)) * borders
    pace = random.normal(0.0, 0.02, (count, 2)) * height[:, None]
    frames = []
    for _ in range(FRAMES):
        centre += pace
        pace = np.where((centre < 0.0) | (centre > borders), -pace, pace)
        half = 0.5 * np.column_stack((ASPECT * height, height)) * random.normal(1.0, 0.02, (count, 2))
        shown = centre + random.normal(0.0, 0.02, (count, 2)) * height[:, None]
        seen = random.random(count) > 0.04
        scores = np.clip(random.normal(0.75, 0.18, count), 0.05, 0.99)
        boxes = np.concatenate((shown - half, shown + half), axis=1)
        frames.append(Detections(boxes[seen], scores[seen], np.zeros(int(seen.sum()), np.int32)))
    return frames


def median_us(settings: ByteTrackSettings, frames: list[Detections]) -> float:
    """Of one update, after the warm-up."""
    tracker, spent = ByteTracker(settings), []
    for number, frame in enumerate(frames):
        begin = time.perf_counter()
        tracker.update(frame, number / 30)
        spent.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(spent[WARM_UP:])


def main() -> None:
    """One line a number of objects."""
    print(f"{'objects':>8}{'reference':>14}{'default':>14}")
    for count in (1, 10, 50, 200, 1000):
        frames = scene(count)
        times = [median_us(each, frames) for each in (ByteTrackSettings.reference(), ByteTrackSettings())]
        print(f"{count:>8}" + "".join(f"{us:>11.0f} us" for us in times))


if __name__ == "__main__":
    main()
