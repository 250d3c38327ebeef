"""Whether two engines find the same: box for box, on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.detect.decoders.decoder import Decoder
from agent.detect.letterbox import Letterbox
from agent.errors import DetectionError
from devices.engines.engine import Tensors
from devices.trials.exam import Difference, compare_tensors
from trackers import Detections
from trackers.boxes import overlaps


@dataclass(frozen=True)
class Tolerance:
    """How far two engines may be apart.

    Attributes:
        score: difference of the scores of a box.
        iou: least overlap of a box with itself.
        sure_score: a box of this score on one engine must be there on the other.
        missing: part of those that may be missing all the same.
    """

    score: float
    iou: float
    sure_score: float
    missing: float


# By what the engine computes with: quantised models round everywhere, each run-time in its own way.
TOLERANCES = {
    "fp32": Tolerance(score=0.01, iou=0.98, sure_score=0.1, missing=0.0),
    "fp16": Tolerance(score=0.03, iou=0.95, sure_score=0.1, missing=0.03),
    "int8": Tolerance(score=0.15, iou=0.75, sure_score=0.3, missing=0.1),
}


class BoxJudge:
    """Compares two engines by the boxes their answers decode to; where there are none, tensor by tensor."""

    def __init__(self, decoder: Decoder, letterboxes: Sequence[list[Letterbox]]) -> None:
        self._decoder = decoder
        self._letterboxes = letterboxes

    def __call__(self, expected: tuple[Tensors, ...], given: tuple[Tensors, ...], precision: str) -> Difference:
        """The difference of the answers to all questions together."""
        tolerance = TOLERANCES.get(precision, TOLERANCES["fp32"])
        try:
            pairs = list(zip(self._decoded(expected), self._decoded(given), strict=True))
        except DetectionError as error:
            return Difference(f"its answer cannot be read: {error}", is_within=False)
        found = compare_boxes(pairs, tolerance)
        return compare_tensors(expected, given, precision) if found is None else found

    def _decoded(self, answers: tuple[Tensors, ...]) -> list[Detections]:
        return [
            detections
            for answer, letterboxes in zip(answers, self._letterboxes, strict=True)
            for detections in self._decoder.decode(answer, letterboxes)
        ]


def compare_boxes(pairs: Sequence[tuple[Detections, Detections]], tolerance: Tolerance) -> Difference | None:
    """What two engines found in the same pictures; None where neither is sure of anything."""
    matches = [
        match
        for one, other in pairs
        for match in (*best_matches(one, other, tolerance), *best_matches(other, one, tolerance))
    ]
    if not matches:
        return None
    met = [match for match in matches if match.is_within(tolerance)]
    least = min(match.iou for match in matches)
    most = max(match.score_off for match in matches)
    is_within = len(matches) - len(met) <= tolerance.missing * len(matches)
    missed = "" if len(met) == len(matches) else f", {len(matches) - len(met)} of {len(matches)} without a match"
    text = f"{len(matches) // 2} boxes: overlap at least {least:.3f}, scores within {most:.4f}{missed}"
    return Difference(text, is_within)


@dataclass(frozen=True)
class Match:
    """A sure box of one engine, and the box of its class on the other that overlaps it most.

    Attributes:
        iou: overlap of the two; 0 where the other has none there.
        score_off: difference of their scores; the whole score where the other has none there.
        box_off_px: greatest difference of an edge; None where the other has none there.
    """

    iou: float
    score_off: float
    box_off_px: float | None = None

    def is_within(self, tolerance: Tolerance) -> bool:
        """Whether it is the same box, as near as this tolerance asks."""
        return self.iou >= tolerance.iou and self.score_off <= tolerance.score


def best_matches(sure: Detections, others: Detections, tolerance: Tolerance) -> list[Match]:
    """For each sure box of one engine the best box of its class on the other."""
    best = {row: Match(0.0, float(score)) for row, score in enumerate(sure.scores) if score >= tolerance.sure_score}
    pairs = overlaps(sure.boxes.T.astype(np.float64), others.boxes.T.astype(np.float64))
    for row, column, iou in zip(pairs.rows.tolist(), pairs.columns.tolist(), pairs.iou.tolist(), strict=True):
        if row in best and sure.class_ids[row] == others.class_ids[column] and iou > best[row].iou:
            score_off = abs(float(sure.scores[row]) - float(others.scores[column]))
            best[row] = Match(iou, score_off, float(np.abs(sure.boxes[row] - others.boxes[column]).max()))
    return list(best.values())
