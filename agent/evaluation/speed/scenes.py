"""Simulated scenes of any number of objects, the same on every machine."""

from __future__ import annotations

import numpy as np

from trackers import Detections

WIDTH_PX, HEIGHT_PX = 1920.0, 1080.0
FRAME_RATE = 30.0
COVERED = 0.3  # sum of the boxes' areas, as part of the picture
ASPECT = 0.45
FRAMES = 150


def scene(count: int, frames: int = FRAMES) -> list[Detections]:
    """Objects that wander and bounce off the borders; scores vary, and some are missed."""
    random = np.random.default_rng(count)
    height = np.sqrt(COVERED * WIDTH_PX * HEIGHT_PX / count / ASPECT) * random.uniform(0.8, 1.2, count)
    borders = np.array([WIDTH_PX, HEIGHT_PX])
    centre = random.uniform(0.0, 1.0, (count, 2)) * borders
    pace = random.normal(0.0, 0.02, (count, 2)) * height[:, None]
    seen_in = []
    for _ in range(frames):
        centre += pace
        pace = np.where((centre < 0.0) | (centre > borders), -pace, pace)
        half = 0.5 * np.column_stack((ASPECT * height, height)) * random.normal(1.0, 0.02, (count, 2))
        shown = centre + random.normal(0.0, 0.02, (count, 2)) * height[:, None]
        seen = random.random(count) > 0.04
        scores = np.clip(random.normal(0.75, 0.18, count), 0.05, 0.99)
        boxes = np.concatenate((shown - half, shown + half), axis=1)
        seen_in.append(Detections(boxes[seen], scores[seen], np.zeros(int(seen.sum()), np.int32)))
    return seen_in
