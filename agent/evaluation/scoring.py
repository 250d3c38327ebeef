"""Scores of compared frames, by TrackEval's own metrics.

HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", 2020. MOTA, switches and
fragments: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", 2008.
IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.errors import EvaluatorError
from agent.evaluation.comparing import ComparedFrame

Fields = dict[str, Any]


@dataclass(frozen=True)
class Scores:
    """Of one sequence, or of several together.

    Attributes:
        hota, deta, assa: per cent, the mean over all overlaps from 0.05 to 0.95.
        mota, idf1: per cent, at an overlap of 0.5.
        switches: times that an object's identity changed.
        fragments: times that an object was lost and found again.
        false_positives: boxes where nothing was.
        misses: objects without a box.
    """

    hota: float
    deta: float
    assa: float
    mota: float
    idf1: float
    switches: int
    fragments: int
    false_positives: int
    misses: int


class Measured(NamedTuple):
    """What the metrics count in one sequence; needed whole to combine several."""

    hota: Fields
    clear: Fields
    identity: Fields

    def scores(self) -> Scores:
        """In short."""
        clear = self.clear
        return Scores(
            hota=_per_cent(self.hota["HOTA"]),
            deta=_per_cent(self.hota["DetA"]),
            assa=_per_cent(self.hota["AssA"]),
            mota=_per_cent(clear["MOTA"]),
            idf1=_per_cent(self.identity["IDF1"]),
            switches=int(clear["IDSW"]),
            fragments=int(clear["Frag"]),
            false_positives=int(clear["CLR_FP"]),
            misses=int(clear["CLR_FN"]),
        )


class Evaluator:
    """TrackEval's metrics; made by `load_evaluator`."""

    def __init__(self, hota: Any, clear: Any, identity: Any) -> None:  # noqa: ANN401 - an untyped library's
        self._metrics = (hota, clear, identity)

    def measure(self, frames: Many[ComparedFrame]) -> Measured:
        """Score one sequence."""
        table = _table(frames)
        return Measured(*(metric.eval_sequence(table) for metric in self._metrics))

    def combine(self, several: Many[Measured]) -> Measured:
        """Score several sequences as one; each weighs by what is in it."""
        return Measured(
            *(
                metric.combine_sequences({str(number): each[place] for number, each in enumerate(several)})
                for place, metric in enumerate(self._metrics)
            )
        )


def load_evaluator() -> Evaluator:
    """Import the metrics.

    Raises:
        EvaluatorError: they are not installed.
    """
    try:
        from trackeval import metrics  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise EvaluatorError(
            f"scoring needs the package trackeval, which cannot be imported ({error}); install the extra: "
            "pip install 'sitewatch[evaluation]', or requirements/evaluation.lock"
        ) from error
    quiet = {"PRINT_CONFIG": False}
    return Evaluator(metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet))


def _table(frames: Many[ComparedFrame]) -> Fields:
    """As TrackEval wants it: identities count from 0 without gaps."""
    truth_ids, truth_count = _renamed([frame.truth_ids for frame in frames])
    track_ids, track_count = _renamed([frame.track_ids for frame in frames])
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": truth_count,
        "num_gt_dets": sum(map(len, truth_ids)),
        "gt_ids": truth_ids,
        "num_tracker_ids": track_count,
        "num_tracker_dets": sum(map(len, track_ids)),
        "tracker_ids": track_ids,
        "similarity_scores": [frame.iou for frame in frames],
    }


def _per_cent(shares: float | npt.NDArray[np.float64]) -> float:
    return 100 * float(np.mean(shares))


def _renamed(ids: list[npt.NDArray[Any]]) -> tuple[list[npt.NDArray[np.intp]], int]:
    known = np.unique(np.concatenate(ids))
    return [np.searchsorted(known, each) for each in ids], len(known)
