"""A tracker's output on sequences with ground truth, scored by TrackEval."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import trackeval
from scipy.optimize import linear_sum_assignment

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

Rows = npt.NDArray[np.float64]
DISTRACTORS = (2, 7, 8, 12)  # MOT17: tracks on these are neither right nor wrong


class Scores(NamedTuple):
    """In per cent; switches are a number."""

    hota: float
    mota: float
    idf1: float
    switches: int


@dataclass(frozen=True, eq=False)
class Sequence:
    """Detections and ground truth by rows, as in the files.

    Attributes:
        detections: frame, -1, left, top, width, height, score, class.
        truth: frame, id, left, top, width, height, considered, class, visibility.
    """

    name: str
    frame_rate: float
    length: int
    has_distractors: bool
    detections: Rows
    truth: Rows

    @classmethod
    def read(cls, folder: Path) -> Sequence:
        """A folder with seq.json, det.txt and gt.txt."""
        about = json.loads((folder / "seq.json").read_text())
        detections, truth = (np.loadtxt(folder / name, delimiter=",") for name in ("det.txt", "gt.txt"))
        return cls(folder.name, about["fps"], about["length"], about["preproc"], detections, truth)

    def score(self, settings: ByteTrackSettings, every: int = 1) -> Scores:
        """Feed every so many frames to a new tracker and score what it says of them."""
        return scored([self._compared(frame, tracks) for frame, tracks in self._tracked(settings, every)])

    def _tracked(self, settings: ByteTrackSettings, every: int) -> Iterator[tuple[int, Tracks]]:
        tracker = ByteTracker(settings)
        for frame in range(1, self.length + 1, every):
            rows = self.detections[self.detections[:, 0] == frame]
            seen = Detections(corners(rows), rows[:, 6], rows[:, 7].astype(np.int32))
            yield frame, tracker.update(seen, (frame - 1) / self.frame_rate)

    def _compared(self, frame: int, tracks: Tracks) -> tuple[Rows, Rows, Rows]:
        """Ids of the truth, ids of the tracker, and the IoU of each with each."""
        rows = self.truth[self.truth[:, 0] == frame]
        iou, ids = ious(corners(rows), tracks.boxes), tracks.track_ids
        if self.has_distractors:
            on_distractor = _matched_with(iou, np.isin(rows[:, 7], DISTRACTORS))
            counts = (rows[:, 7] == 1) & (rows[:, 6] == 1)
            rows, ids, iou = rows[counts], ids[~on_distractor], iou[counts][:, ~on_distractor]
        return rows[:, 1], ids, iou


def scored(frames: list[tuple[Rows, Rows, Rows]]) -> Scores:
    """HOTA, CLEAR and identity metrics of (truth ids, tracker ids, IoU) per frame."""
    truth, truth_count = _renamed([frame[0] for frame in frames])
    tracker, tracker_count = _renamed([frame[1] for frame in frames])
    table: dict[str, Any] = {
        "gt_ids": truth, "num_gt_ids": truth_count, "num_gt_dets": sum(map(len, truth)),
        "tracker_ids": tracker, "num_tracker_ids": tracker_count, "num_tracker_dets": sum(map(len, tracker)),
        "similarity_scores": [frame[2] for frame in frames], "num_timesteps": len(frames),
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        metrics = trackeval.metrics
        hota, clear, identity = (
            each().eval_sequence(table) for each in (metrics.HOTA, metrics.CLEAR, metrics.Identity)
        )
    percent = (100 * float(value) for value in (hota["HOTA"].mean(), clear["MOTA"], identity["IDF1"]))
    return Scores(*percent, int(clear["IDSW"]))


def corners(rows: Rows) -> Rows:
    """(N, 4) x1 y1 x2 y2 of rows that have left, top, width, height."""
    boxes = rows[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def ious(first: Rows, second: Rows) -> Rows:
    """(M, N) intersection over union."""
    size = np.minimum(first[:, None, 2:], second[:, 2:]) - np.maximum(first[:, None, :2], second[:, :2])
    shared: Rows = np.maximum(size, 0.0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return shared / (areas[0][:, None] + areas[1] - shared)


def _matched_with(iou: Rows, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Columns whose one-to-one match, at 0.5 or better, is one of these rows."""
    near = np.where(iou >= 0.5, iou, 0.0)
    pairs = linear_sum_assignment(near, maximize=True)
    matched = np.zeros(iou.shape[1], np.bool_)
    matched[pairs[1]] = rows[pairs[0]] & (near[pairs] > 0.0)
    return matched


def _renamed(ids: list[Rows]) -> tuple[list[npt.NDArray[np.intp]], int]:
    names = np.unique(np.concatenate(ids))
    return [np.searchsorted(names, each) for each in ids], len(names)
