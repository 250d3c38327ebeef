"""Where detections come in, one by one: what cannot be a box stays out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trackers.bytetrack.arrays.door import FARTHEST_PX, THINNEST_PX
from trackers.bytetrack.scalars.overlap import Box
from trackers.bytetrack.settings import ByteTrackSettings, Edge
from trackers.detections import Detections

Measured = tuple[float, float, float, float]
"""Centre x, centre y, aspect, height."""
Contender = tuple[float, int, Box, float, int]
"""Left edge, number, box, score, class: a detection that takes part in association."""


class Observed(NamedTuple):
    """The detections of one frame that are boxes; lists along N.

    Attributes:
        measured: as the filter takes them.
        scores: detector confidence.
        class_ids: index into the model's labels.
        high: those of the first association, from left to right.
        low: those of the second, from left to right.
        strong: numbers of those that may begin a track.
        widest: width of the widest.
        refused: how many detections stayed out.
    """

    measured: list[Measured]
    scores: list[float]
    class_ids: list[int]
    high: list[Contender]
    low: list[Contender]
    strong: list[int]
    widest: float
    refused: int


class Door:
    """Admits by `trackers.bytetrack.arrays.door`'s rules."""

    def __init__(self, settings: ByteTrackSettings) -> None:
        thresholds = (settings.low_threshold, settings.high_threshold, settings.new_track_threshold)
        # Thresholds are met in the precision the scores are given in: a float32 0.7 is not below 0.7.
        self._rounded = tuple(float(np.float32(threshold)) for threshold in thresholds)
        self._exact = thresholds
        self._includes_edge = settings.edge is Edge.INCLUDED

    def admit(self, detections: Detections) -> Observed:
        """Lay out the usable detections; nothing of the caller's is changed or kept."""
        low, high, new = self._rounded if detections.scores.dtype == np.float32 else self._exact
        includes_edge, far = self._includes_edge, FARTHEST_PX
        given: list[float] = detections.scores.tolist()
        class_ids: list[int] = detections.class_ids.tolist()
        measured: list[Measured] = []
        scores: list[float] = []
        kept_ids: list[int] = []
        highs: list[Contender] = []
        lows: list[Contender] = []
        strong: list[int] = []
        widest, number = 0.0, 0
        for box, score, class_id in zip(detections.boxes.tolist(), given, class_ids, strict=True):
            x1, y1, x2, y2 = box
            width, height = x2 - x1, y2 - y1
            # A comparison with what is not a number is false; infinity less infinity is none.
            if not (width >= THINNEST_PX and height >= THINNEST_PX and score - score == 0.0):
                continue
            if x1 < -far or y1 < -far or x2 > far or y2 > far:
                continue
            if score > high or (includes_edge and score == high):
                highs.append((x1, number, box, score, class_id))
                if score >= new:
                    strong.append(number)
            elif score < high and (score > low or (includes_edge and score == low)):
                lows.append((x1, number, box, score, class_id))
            widest = max(widest, width)
            measured.append((x1 + width * 0.5, y1 + height * 0.5, width / height, height))
            scores.append(score)
            kept_ids.append(class_id)
            number += 1
        highs.sort()
        lows.sort()
        return Observed(measured, scores, kept_ids, highs, lows, strong, widest, len(given) - number)


def groups_of(settings: ByteTrackSettings) -> dict[int, int]:
    """Every class that is in a group, with the group's least member."""
    return {member: min(group) for group in settings.class_groups for member in group}
