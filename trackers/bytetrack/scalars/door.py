"""Where detections come in, one by one: what cannot be a box stays out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trackers.bytetrack.arrays.door import FARTHEST_PX, THINNEST_PX
from trackers.bytetrack.scalars.overlap import Box
from trackers.bytetrack.settings import ByteTrackSettings, Edge
from trackers.detections import Detections

Measured = tuple[float, float, float, float]
"""Centre x, centre y, aspect, height."""
Contender = tuple[int, Box, float, int, bool]
"""Number, box, score, class group, whether high: a detection that takes part in association."""


class Observed(NamedTuple):
    """The detections of one frame that are boxes; lists along N.

    Attributes:
        measured: as the filter takes them.
        scores: detector confidence.
        class_ids: index into the model's labels.
        contenders: the high and the low ones.
        strong: numbers of those that may begin a track.
        refused: how many detections stayed out.
    """

    measured: list[Measured]
    scores: list[float]
    class_ids: list[int]
    contenders: list[Contender]
    strong: list[int]
    refused: int


class Door:
    """Admits by `trackers.bytetrack.arrays.door`'s rules."""

    def __init__(self, settings: ByteTrackSettings) -> None:
        thresholds = (settings.low_threshold, settings.high_threshold, settings.new_track_threshold)
        # Thresholds are met in the precision the scores are given in: a float32 0.7 is not below 0.7.
        self._rounded = tuple(float(np.float32(threshold)) for threshold in thresholds)
        self._exact = thresholds
        self._includes_edge = settings.edge is Edge.INCLUDED
        self._groups = groups_of(settings)

    def admit(self, detections: Detections) -> Observed:
        """Lay out the usable detections; nothing of the caller's is changed or kept."""
        low, high, new = self._rounded if detections.scores.dtype == np.float32 else self._exact
        includes_edge, groups = self._includes_edge, self._groups
        class_ids: list[int] = detections.class_ids.tolist()
        measured: list[Measured] = []
        scores: list[float] = []
        kept_ids: list[int] = []
        contenders: list[Contender] = []
        strong: list[int] = []
        given: list[float] = detections.scores.tolist()
        for (x1, y1, x2, y2), score, class_id in zip(detections.boxes.tolist(), given, class_ids, strict=True):
            width, height = x2 - x1, y2 - y1
            if not (width >= THINNEST_PX and height >= THINNEST_PX and math.isfinite(score)):
                continue
            if x1 < -FARTHEST_PX or y1 < -FARTHEST_PX or x2 > FARTHEST_PX or y2 > FARTHEST_PX:
                continue
            number = len(scores)
            is_high = score > high or (includes_edge and score == high)
            if is_high or (score < high and (score > low or (includes_edge and score == low))):
                contenders.append((number, (x1, y1, x2, y2), score, groups.get(class_id, class_id), is_high))
            if is_high and score >= new:
                strong.append(number)
            measured.append((x1 + width * 0.5, y1 + height * 0.5, width / height, height))
            scores.append(score)
            kept_ids.append(class_id)
        return Observed(measured, scores, kept_ids, contenders, strong, len(given) - len(scores))


def groups_of(settings: ByteTrackSettings) -> dict[int, int]:
    """Every class that is in a group, with the group's least member."""
    return {member: min(group) for group in settings.class_groups for member in group}
