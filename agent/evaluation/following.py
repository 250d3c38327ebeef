"""What is said of a sequence, frame by frame: by the tracker that is run over it, or by a file of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.evaluation.mot_files import CLASS, ID, SCORE, by_frame, corners, read_results
from agent.evaluation.sequence import Sequence
from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

Timer = Callable[[], float]  # seconds of processor time; what else the machine does is not in it


@dataclass(frozen=True, eq=False)
class Followed:
    """The tracks of the frames that were looked at.

    Attributes:
        frames: frame number, from 1, and its tracks.
        spent_s: processor seconds that each update took; empty where no tracker ran.
        refused: detections that the tracker refused.
    """

    frames: tuple[tuple[int, Tracks], ...]
    spent_s: tuple[float, ...] = ()
    refused: int = 0


def frames_of(sequence: Sequence, every: int) -> range:
    """Each so many-th frame, the first one in."""
    return range(1, sequence.length + 1, every)


def follow(sequence: Sequence, settings: ByteTrackSettings, *, every: int, timer: Timer) -> Followed:
    """Run a new tracker over each so many-th frame, each at its own time."""
    tracker = ByteTracker(settings)
    told, spent_s = [], []
    for frame, rows in by_frame(sequence.detections, frames_of(sequence, every)):
        seen = Detections(corners(rows), rows[:, SCORE], rows[:, CLASS].astype(np.int32))
        begin_s = timer()
        tracks = tracker.update(seen, (frame - 1) / sequence.frame_rate)
        spent_s.append(timer() - begin_s)
        told.append((frame, tracks))
    return Followed(tuple(told), tuple(spent_s), tracker.refused)


def read_followed(path: Path, sequence: Sequence, *, every: int) -> Followed:
    """What a tracker's output file says of these frames.

    Raises:
        SequenceError: it cannot be read or is malformed; with file and line.
    """
    rows = read_results(path, sequence.length)
    return Followed(tuple((frame, _tracks(of_frame)) for frame, of_frame in by_frame(rows, frames_of(sequence, every))))


def mot_text(frame: int, tracks: Tracks) -> str:
    """Lines `frame,id,x,y,w,h,score,class,-1,-1`, one a track, as evaluators read them; boxes are not clipped."""
    columns = zip(tracks.boxes, tracks.scores, tracks.class_ids, tracks.track_ids, strict=True)
    return "".join(
        f"{frame},{track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},{class_id},-1,-1\n"
        for (x1, y1, x2, y2), score, class_id, track_id in columns
    )


def _tracks(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tracks:
    unknown = np.zeros(len(rows))
    return Tracks(corners(rows), unknown, unknown.astype(np.int32), rows[:, ID].astype(np.int64))
