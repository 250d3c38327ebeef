"""Scenes for property tests: objects with ways of their own, misses, false alarms and classes that flicker.

A scene is drawn as a few small numbers, so that hypothesis can shrink it to the objects and frames that matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from trackers import Detections

FRAME_RATE = 10.0
CLASS_IDS = (0, 2, 3)
SCORES = (0.95, 0.91, 0.86, 0.81, 0.74, 0.64, 0.35, 0.15, 0.05)


@dataclass(frozen=True)
class Mover:
    """One object: its first box, its way, and how it is seen.

    Attributes:
        birth: frame in which it comes.
        life: frames it stays.
        box: left, top, width, height in pixels when it comes.
        pace: pixels a frame, right and down.
        growth: per cent a frame.
        scores: of its detections in turn.
        class_ids: of its detections in turn.
        missed: frames in which it is not detected.
    """

    birth: int
    life: int
    box: tuple[int, int, int, int]
    pace: tuple[int, int]
    growth: int
    scores: tuple[float, ...]
    class_ids: tuple[int, ...]
    missed: frozenset[int]

    def is_seen(self, frame: int) -> bool:
        """Whether it is detected in this frame."""
        return 0 <= frame - self.birth < self.life and frame not in self.missed

    def row(self, number: int, frame: int) -> tuple[float, ...]:
        """x1 y1 x2 y2, score and class in this frame, each a little off, as a detector is."""
        age = frame - self.birth
        left, top, *size = self.box
        width, height = (side * (1.0 + 0.01 * self.growth) ** age for side in size)
        x = left + self.pace[0] * age + 0.02 * width * _wobble(number, frame, 1)
        y = top + self.pace[1] * age + 0.02 * height * _wobble(number, frame, 2)
        width_px, height_px = (
            side * (1.0 + 0.02 * _wobble(number, frame, place)) for place, side in enumerate((width, height), 4)
        )
        score = self.scores[age % len(self.scores)] + 0.004 * _wobble(number, frame, 3)
        return x, y, x + width_px, y + height_px, score, self.class_ids[age % len(self.class_ids)]


def movers(frames: int) -> st.SearchStrategy[Mover]:
    """Objects that come and go within so many frames; flashes of a single frame among them."""
    size = st.integers(20, 120)
    pace = st.integers(-25, 25)
    return st.builds(
        Mover,
        birth=st.just(0) | st.integers(0, frames - 1),
        life=st.just(frames) | st.integers(4, frames) | st.integers(1, 3),
        box=st.tuples(st.integers(0, 320), st.integers(0, 240), size, size),
        pace=st.tuples(pace, pace),
        growth=st.just(0) | st.integers(-10, 10),
        scores=st.lists(st.sampled_from(SCORES), min_size=1, max_size=4).map(tuple),
        class_ids=st.lists(st.sampled_from(CLASS_IDS), min_size=1, max_size=3).map(tuple),
        missed=st.frozensets(st.integers(0, frames - 1), max_size=frames // 3),
    )


def scenes(*, frames: int = 20, most: int = 14) -> st.SearchStrategy[list[Detections]]:
    """A list of frames, float64; no two boxes or scores of it are equal, so nothing in it is a tie."""
    return st.lists(movers(frames), min_size=1, max_size=most).map(lambda cast: filmed(cast, frames))


def filmed(cast: list[Mover], frames: int) -> list[Detections]:
    """What is detected of these objects, frame by frame, in their order."""
    rows = [[each.row(number, frame) for number, each in enumerate(cast) if each.is_seen(frame)]
            for frame in range(frames)]  # fmt: skip
    return [detections_of(np.array(each).reshape(-1, 6)) for each in rows]


def detections_of(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Detections:
    """(N, 6) float64 x1 y1 x2 y2, score, class as detections."""
    return Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32))


def _wobble(*numbers: int) -> float:
    """-1 to 1, the same for the same numbers, and hardly ever the same for others."""
    return math.sin(sum(number * factor for number, factor in zip(numbers, (12.9898, 78.233, 37.719), strict=True)))
