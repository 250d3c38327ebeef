"""What a model must find in pictures that came with it, and the judge who holds engines against that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.detect.agreement import TOLERANCES, Tolerance, best_matches
from agent.detect.decoders.decoder import Decoder
from agent.detect.letterbox import Letterbox
from agent.errors import DetectionError
from agent.stream.frame import BgrArray
from devices.engines.engine import Tensors
from devices.trials.exam import Difference
from trackers import Detections

if TYPE_CHECKING:
    from agent.detect.detection_plan import DetectionPlan


@dataclass(frozen=True, eq=False)
class Golden:
    """Pictures that came with a model, each uint8 (height, width, 3) BGR, and what is in each, in its pixels."""

    pictures: tuple[BgrArray, ...]
    found: tuple[Detections, ...]


@dataclass(frozen=True, eq=False)
class Bundled:
    """What came with a model in one bundle.

    Attributes:
        path: of the bundle.
        sha256: of its manifest, and so of all that is in it.
        golden: what the model must find.
        plan: how the bundle says that it is fed and read.
        is_fed_as_packed: the site file does not say otherwise, so that the site's engine must find the same.
        calibration: pictures to build int8 with, or None.
        keeps: whatever must live as long as the model's file is needed.
    """

    path: Path
    sha256: str
    golden: Golden
    plan: DetectionPlan
    is_fed_as_packed: bool
    calibration: Path | None
    keeps: object = None


@dataclass(frozen=True)
class GoldenDifference:
    """How far what an engine finds is from what must be there.

    Attributes:
        matches: sure boxes, counted on both sides.
        unmet: those without a counterpart within the tolerance.
        least_iou: the least overlap of one with its counterpart; 0 where it has none.
        most_score: the greatest difference of scores; a box without counterpart counts with its own.
        most_px: the greatest difference of an edge, in pixels of the picture, of boxes that have a counterpart.
    """

    matches: int
    unmet: int
    least_iou: float
    most_score: float
    most_px: float

    def judged(self, tolerance: Tolerance) -> Difference:
        """Whether that is small enough, and in words."""
        missed = "" if not self.unmet else f", {self.unmet} of {self.matches} without a match"
        text = (
            f"{self.matches // 2} golden boxes: overlap at least {self.least_iou:.3f}, "
            f"scores within {self.most_score:.4f}{missed}"
        )
        return Difference(text, is_within=self.unmet <= tolerance.missing * self.matches)


class GoldenJudge:
    """Compares what an engine finds in the golden pictures with what must be there, whatever another engine finds."""

    def __init__(self, decoder: Decoder, letterboxes: Sequence[list[Letterbox]], found: Sequence[Detections]) -> None:
        """One question a picture.

        Args:
            decoder: with the thresholds that `found` was found with.
            letterboxes: of each question's rows.
            found: what must be in each picture; every row of its question shows it.
        """
        self._decoder = decoder
        self._letterboxes = letterboxes
        self._found = found

    def __call__(self, _expected: tuple[Tensors, ...], given: tuple[Tensors, ...], precision: str) -> Difference:
        """The difference of the answers to all questions together."""
        try:
            off = self.measured(given, precision)
        except DetectionError as error:
            return Difference(f"its answer cannot be read: {error}", is_within=False)
        if off is None:
            return Difference("the golden outputs hold no sure box, so that nothing is verified", is_within=False)
        return off.judged(tolerance_of(precision))

    def measured(self, given: tuple[Tensors, ...], precision: str) -> GoldenDifference | None:
        """The same in numbers; None where no box is sure.

        Raises:
            DetectionError: an answer cannot be read.
        """
        pairs = [
            (found, seen)
            for answer, letterboxes, found in zip(given, self._letterboxes, self._found, strict=True)
            for seen in self._decoder.decode(answer, letterboxes)
        ]
        return _measured(pairs, tolerance_of(precision))


def tolerance_of(precision: str) -> Tolerance:
    """How far an engine that computes with this may be from the golden outputs."""
    return TOLERANCES.get(precision, TOLERANCES["fp32"])


def _measured(pairs: Sequence[tuple[Detections, Detections]], tolerance: Tolerance) -> GoldenDifference | None:
    matches = [
        match
        for one, other in pairs
        for match in (*best_matches(one, other, tolerance), *best_matches(other, one, tolerance))
    ]
    if not matches:
        return None
    return GoldenDifference(
        matches=len(matches),
        unmet=sum(not match.is_within(tolerance) for match in matches),
        least_iou=min(match.iou for match in matches),
        most_score=max(match.score_off for match in matches),
        most_px=max((match.box_off_px for match in matches if match.box_off_px is not None), default=0.0),
    )
