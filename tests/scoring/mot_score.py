"""MOTA and IDF1 of MOT text against truth, by the evaluator of the MOTChallenge (TrackEval)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

IOU_THRESHOLD = 0.5


@dataclass(frozen=True)
class MotScore:
    """CLEAR and identity metrics at IoU 0.5; shares, and counts of switches."""

    mota: float
    idf1: float
    switches: int


def score_mot(truth: Path, result: Path, *, class_id: int | None = None) -> MotScore:
    """Score a MOT file; `class_id` keeps only the result's rows of that class."""
    from trackeval.metrics import CLEAR, Identity  # noqa: PLC0415  # slow to import, and only some tests score

    rows = np.loadtxt(result, delimiter=",", ndmin=2)
    if class_id is not None:
        rows = rows[rows[:, 7] == class_id]
    data = _sequence(np.loadtxt(truth, delimiter=",", ndmin=2), rows)
    clear = CLEAR({"THRESHOLD": IOU_THRESHOLD, "PRINT_CONFIG": False}).eval_sequence(data)
    identity = Identity({"THRESHOLD": IOU_THRESHOLD, "PRINT_CONFIG": False}).eval_sequence(data)
    return MotScore(float(clear["MOTA"]), float(identity["IDF1"]), int(clear["IDSW"]))


def _sequence(truth: npt.NDArray[np.float64], result: npt.NDArray[np.float64]) -> dict[str, object]:
    """The two as TrackEval wants them: ids from 0 without gaps, a list entry a frame."""
    truth_ids, result_ids = np.unique(truth[:, 1]), np.unique(result[:, 1])
    frames = range(1, int(max(truth[:, 0].max(), result[:, 0].max(initial=0))) + 1)
    per_frame = [(truth[truth[:, 0] == frame], result[result[:, 0] == frame]) for frame in frames]
    return {
        "num_timesteps": len(per_frame),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(result_ids),
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(result),
        "gt_ids": [np.searchsorted(truth_ids, each[:, 1]) for each, _ in per_frame],
        "tracker_ids": [np.searchsorted(result_ids, each[:, 1]) for _, each in per_frame],
        "similarity_scores": [_iou(each[:, 2:6], other[:, 2:6]) for each, other in per_frame],
    }


def _iou(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """IoU of boxes x y w h, (n, m)."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    inside = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    areas = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None]
    return inside / np.maximum(areas - inside, 1e-9)
