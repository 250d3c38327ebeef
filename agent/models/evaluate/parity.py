"""Whether an engine finds what the reference finds: box for box, on every picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent.detect.agreement import TOLERANCES, Match, Tolerance, best_matches
from trackers import Detections


@dataclass(frozen=True)
class Parity:
    """How far an engine's boxes are from the reference's.

    Attributes:
        precision: of the engine; it decides what counts as the same.
        tolerance: least overlap, greatest difference of scores, and from which score on a box must be there.
        boxes: sure ones of the reference.
        matched: of those, how many the engine has too, as near as the tolerance asks.
        missing: of those, how many it has not.
        extra: sure boxes of the engine that the reference has not.
        worst_score: greatest difference of a score; of boxes that overlap as the tolerance asks.
        worst_overlap: least overlap of those.
        worst_box_px: greatest difference of an edge of those, in pixels of the picture.
        pictures_apart: ids of pictures with a missing or extra box.
        is_within: no more are missing or extra than the tolerance lets be.
    """

    precision: str
    tolerance: Tolerance
    boxes: int
    matched: int
    missing: int
    extra: int
    worst_score: float
    worst_overlap: float
    worst_box_px: float
    pictures_apart: tuple[int, ...]
    is_within: bool

    def told(self) -> str:
        """For a person."""
        verdict = "the same" if self.is_within else "not the same"
        return (
            f"{verdict}: {self.matched} of {self.boxes} boxes matched, {self.missing} missing, {self.extra} extra; "
            f"scores within {self.worst_score:.4f}, edges within {self.worst_box_px:.2f} px"
        )


def compare_found(reference: Mapping[int, Detections], given: Mapping[int, Detections], precision: str) -> Parity:
    """Compare what two engines found.

    Args:
        reference: detections by picture id.
        given: of the engine, for the same pictures; both with thresholds well below the tolerance's sure score.
        precision: fp32, fp16 or int8, of the engine.
    """
    tolerance = TOLERANCES.get(precision, TOLERANCES["fp32"])
    pairs = {number: _compared(found, given[number], tolerance) for number, found in reference.items()}
    there = [match for pair in pairs.values() for match in pair.there]
    near = [match for match in there if match.iou >= tolerance.iou]
    missing = sum(not match.is_within(tolerance) for match in there)
    extra = sum(pair.extra for pair in pairs.values())
    both = len(there) * 2 - missing + extra
    return Parity(
        precision=precision,
        tolerance=tolerance,
        boxes=len(there),
        matched=len(there) - missing,
        missing=missing,
        extra=extra,
        worst_score=max((match.score_off for match in near), default=0.0),
        worst_overlap=min((match.iou for match in near), default=1.0),
        worst_box_px=max((match.box_off_px or 0.0 for match in near), default=0.0),
        pictures_apart=tuple(number for number, pair in pairs.items() if pair.is_apart(tolerance)),
        is_within=missing + extra <= tolerance.missing * both,
    )


class _Compared(NamedTuple):
    """One picture: the reference's sure boxes, and how many the engine has beyond them."""

    there: list[Match]
    extra: int

    def is_apart(self, tolerance: Tolerance) -> bool:
        return bool(self.extra) or any(not match.is_within(tolerance) for match in self.there)


def _compared(reference: Detections, given: Detections, tolerance: Tolerance) -> _Compared:
    beyond = [match for match in best_matches(given, reference, tolerance) if not match.is_within(tolerance)]
    return _Compared(best_matches(reference, given, tolerance), len(beyond))
