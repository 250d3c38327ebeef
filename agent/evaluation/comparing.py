"""Truth beside what was said of it, frame by frame, in the form that every metric works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.evaluation.following import Followed
from agent.evaluation.mot_files import CLASS, ID, by_frame, corners
from agent.evaluation.mot_rows import Mask, Rows
from agent.evaluation.sequence import Sequence, counted
from trackers import Tracks
from trackers.detections import FloatArray

LEAST_IOU = 0.5
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class ComparedFrame:
    """One frame.

    Attributes:
        truth_ids: (N,).
        track_ids: (M,).
        iou: (N, M) intersection over union.
    """

    truth_ids: npt.NDArray[Any]
    track_ids: npt.NDArray[Any]
    iou: Rows


def compare(sequence: Sequence, followed: Followed) -> list[ComparedFrame]:
    """What counts of the frames that were looked at; tracks on distractors are taken out first."""
    truth = by_frame(sequence.truth, [frame for frame, _ in followed.frames])
    return [
        _compared(rows, tracks, sequence.distractors)
        for (_, rows), (_, tracks) in zip(truth, followed.frames, strict=True)
    ]


def ious(first: FloatArray, second: FloatArray) -> Rows:
    """(N, M) intersection over union of boxes x1 y1 x2 y2; boxes without area share nothing."""
    size = np.minimum(first[:, None, 2:], second[:, 2:]) - np.maximum(first[:, None, :2], second[:, :2])
    shared: Rows = np.maximum(size, 0.0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1] - shared
    iou: Rows = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0.0)
    return iou


def _compared(rows: Rows, tracks: Tracks, distractors: tuple[int, ...]) -> ComparedFrame:
    iou, track_ids = ious(corners(rows), tracks.boxes), tracks.track_ids
    if distractors:
        is_right_or_wrong = ~_matched_with(iou, np.isin(rows[:, CLASS], distractors))
        track_ids, iou = track_ids[is_right_or_wrong], iou[:, is_right_or_wrong]
    counts = counted(rows, distractors)
    return ComparedFrame(rows[counts, ID].astype(np.int64), track_ids, iou[counts])


def _matched_with(iou: Rows, rows: Mask) -> Mask:
    """Columns whose one-to-one match, among all rows and at 0.5 or better, is one of these rows."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - comes with TrackEval, an extra

    near = np.where(iou >= LEAST_IOU - EPSILON, iou, 0.0)
    pairs = linear_sum_assignment(near, maximize=True)
    matched = np.zeros(iou.shape[1], np.bool_)
    matched[pairs[1]] = rows[pairs[0]] & (near[pairs] > 0.0)
    return matched
