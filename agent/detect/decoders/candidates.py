"""From scores to detections: the steps that families share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.decoder import Limits
from agent.detect.letterbox import Letterbox
from agent.detect.suppression import suppress
from agent.errors import DetectionError
from trackers import Detections

Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]


class Candidates(NamedTuple):
    """Scores that reach the threshold of their class: in which row of a table, how much, of which class."""

    rows: Indices
    scores: Floats
    class_ids: Indices


def reaching(class_scores: Floats, limits: Limits) -> Candidates:
    """Every score of (N, classes) that reaches its class's threshold.

    A row may be a candidate of several classes, as in the evaluations that detectors are published with: what is
    left out here, a tracker or a label filter can never get back.
    """
    places = np.flatnonzero(class_scores >= limits.score_thresholds)
    rows, class_ids = np.divmod(places, class_scores.shape[1])
    return Candidates(rows, class_scores[rows, class_ids], class_ids)


def scored_rows(table: Floats, limits: Limits) -> Candidates:
    """Candidates of (N, 4 + objectness + classes) rows: score is objectness times class score.

    No score exceeds its objectness, so most rows are dismissed by that one column.
    """
    promising = np.flatnonzero(table[:, 4] >= limits.lowest)
    found = reaching(table[promising, 5:] * table[promising, 4:5], limits)
    return found._replace(rows=promising[found.rows])


def passing(rows: Indices, scores: Floats, class_ids: Indices, limits: Limits) -> Candidates:
    """Those whose score reaches the threshold of their class.

    Raises:
        DetectionError: a class id that has no label.
    """
    if len(class_ids) and not 0 <= class_ids.min() <= class_ids.max() < len(limits.score_thresholds):
        raise DetectionError(
            f"the model gave class {class_ids.max()}, but there are labels for classes 0 to "
            f"{len(limits.score_thresholds) - 1} only; write all of its labels in model.labels"
        )
    good = scores >= limits.score_thresholds[class_ids]
    return Candidates(rows[good], scores[good], class_ids[good])


def corners(centres_and_sizes: Floats) -> Floats:
    """(N, 4) centre x, centre y, width, height as x1 y1 x2 y2."""
    centres, halves = centres_and_sizes[:, :2], centres_and_sizes[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def suppressed(boxes: Floats, candidates: Candidates, letterbox: Letterbox, limits: Limits) -> Detections:
    """Detections of boxes in model pixels, one for each candidate, after class-wise suppression.

    Raises:
        DetectionError: a box is not finite.
    """
    _, scores, class_ids = candidates
    _refuse_endless(boxes)
    kept = suppress(boxes, scores, class_ids, limits.iou_threshold, limits.max_detections)
    return Detections(letterbox.to_frame(boxes[kept]), scores[kept], class_ids[kept].astype(np.int32))


def best_first(boxes: Floats, candidates: Candidates, letterbox: Letterbox, limits: Limits) -> Detections:
    """Detections of boxes in model pixels from a model that suppresses by itself.

    Raises:
        DetectionError: a box is not finite.
    """
    _, scores, class_ids = candidates
    _refuse_endless(boxes)
    kept = np.argsort(-scores, kind="stable")[: limits.max_detections]
    return Detections(letterbox.to_frame(boxes[kept]), scores[kept], class_ids[kept].astype(np.int32))


def _refuse_endless(boxes: Floats) -> None:
    if not np.isfinite(boxes).all():
        raise DetectionError("the model gave a box without bounds (not a number, or infinite)")
