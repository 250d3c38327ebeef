"""How far two models are apart in what they find, as one number: for ranking layers, not for judging a result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trackers import Detections
from trackers.boxes import overlaps


def apart(expected: Sequence[Detections], given: Sequence[Detections]) -> float:
    """0 where every detection has its like, 1 where none has; weighted by score, in both directions.

    A detection's like is of its class; what counts is the overlap, less the difference of the scores.

    Args:
        expected: of the float model, one entry a picture.
        given: of the other.
    """
    pairs = [*zip(expected, given, strict=True), *zip(given, expected, strict=True)]
    weight = sum(float(one.scores.sum()) for one, _ in pairs)
    if not weight:
        return 0.0
    return sum(float((one.scores * (1.0 - _likeness(one, other))).sum()) for one, other in pairs) / weight


def _likeness(detections: Detections, others: Detections) -> npt.NDArray[np.float64]:
    best = np.zeros(len(detections.scores))
    pairs = overlaps(detections.boxes.T.astype(np.float64), others.boxes.T.astype(np.float64))
    is_class = detections.class_ids[pairs.rows] == others.class_ids[pairs.columns]
    score_off = np.abs(detections.scores[pairs.rows] - others.scores[pairs.columns])
    likeness = np.where(is_class, np.clip(pairs.iou - score_off, 0.0, 1.0), 0.0)
    np.maximum.at(best, pairs.rows, likeness)
    return best
