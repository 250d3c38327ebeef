"""The three kinds of MOTChallenge files, each with its columns and rules: ground truth, detections, results.

Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016, and the files of MOT15 to MOT20 and DanceTrack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from agent.errors import SequenceError
from agent.evaluation.mot_rows import Mask, MotRows, Rows, read_mot_rows

FRAME, ID, LEFT, TOP, WIDTH, HEIGHT = range(6)
CONSIDERED = SCORE = 6
CLASS = 7
LONGEST_FRAMES = 1_000_000
FARTHEST_PX = 1e9
LARGEST_ID = 2**53


def read_truth(path: Path, length: int | None) -> Rows:
    """(N, 8) frame, id, left, top, width, height, considered, class; the last two are 1 where the file ends before.

    Args:
        path: ground truth; columns after the eighth are dropped.
        length: frames of the sequence; None: not known.

    Raises:
        SequenceError: with file and line.
    """
    read = read_mot_rows(path, HEIGHT + 1, CLASS + 1, "frame,id,left,top,width,height[,considered,class,...]")
    _demand_rows(read)
    _demand_boxes(read, length)
    _demand_identities(read)
    return _widened(read.values, (1.0, 1.0))


def read_detections(path: Path, length: int | None) -> Rows:
    """(N, 8) frame, -1 or a number, left, top, width, height, score, class.

    The class is 0 where the file has none: the column is not there, or holds what is no class (MOT16 has -1 in it,
    MOT15 a position in metres).

    Raises:
        SequenceError: with file and line.
    """
    read = read_mot_rows(path, SCORE + 1, CLASS + 1, "frame,-1,left,top,width,height,score[,class,...]")
    _demand_rows(read)
    _demand_boxes(read, length)
    rows = _widened(read.values, (0.0, 0.0))
    classes = rows[:, CLASS]
    if not (_are_whole(classes) & (classes >= 0) & (classes < np.iinfo(np.int32).max)).all():
        rows[:, CLASS] = 0.0
    return rows


def read_results(path: Path, length: int | None) -> Rows:
    """(N, 6) frame, id, left, top, width, height: what a tracker said; may be empty.

    Raises:
        SequenceError: with file and line.
    """
    read = read_mot_rows(path, HEIGHT + 1, HEIGHT + 1, "frame,id,left,top,width,height[,...]")
    _demand_boxes(read, length)
    _demand_identities(read)
    return read.values


def by_frame(rows: Rows, frames: Sequence[int]) -> Iterator[tuple[int, Rows]]:
    """The rows of each of these frames, in the order of the file; frames without rows come too."""
    ordered = rows[np.argsort(rows[:, FRAME], kind="stable")]
    begins = np.searchsorted(ordered[:, FRAME], frames, side="left")
    ends = np.searchsorted(ordered[:, FRAME], frames, side="right")
    for frame, begin, end in zip(frames, begins, ends, strict=True):
        yield frame, ordered[begin:end]


def corners(rows: Rows) -> Rows:
    """(N, 4) x1 y1 x2 y2."""
    boxes = rows[:, LEFT : HEIGHT + 1].copy()
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def _demand_rows(read: MotRows) -> None:
    if not len(read.values):
        raise SequenceError(f"{read.path}: the file is empty; allowed is a row a box")


def _demand_boxes(read: MotRows, length: int | None) -> None:
    frames = read.values[:, FRAME]
    allowed = f"a whole number from 1 to {length or LONGEST_FRAMES}"
    allowed += ", the sequence's length" if length else ""
    read.demand(
        _are_whole(frames) & (frames >= 1) & (frames <= (length or LONGEST_FRAMES)), "the frame", FRAME, allowed
    )
    for column, name in ((LEFT, "left"), (TOP, "top"), (WIDTH, "the width"), (HEIGHT, "the height")):
        least = -FARTHEST_PX if column in (LEFT, TOP) else 0.0
        values = read.values[:, column]
        read.demand((values >= least) & (values <= FARTHEST_PX), name, column, f"{least:g} to {FARTHEST_PX:g} pixels")


def _demand_identities(read: MotRows) -> None:
    """Whole numbers, and none twice in a frame: evaluators count such a pair as something it is not."""
    ids = read.values[:, ID]
    good = _are_whole(ids) & (ids >= 0) & (ids <= LARGEST_ID)
    read.demand(good, "the identity", ID, "a whole number from 0")
    order = np.lexsort((read.lines, ids, read.values[:, FRAME]))
    ordered = read.values[order][:, : ID + 1]
    twice = (ordered[1:] == ordered[:-1]).all(axis=1)
    if twice.any():
        first, second = read.lines[order][np.argmax(twice) :][:2]
        frame, track_id = ordered[np.argmax(twice)].astype(int)
        raise SequenceError(
            f"{read.path}:{second}: identity {track_id} is in frame {frame} a second time, after line {first}; "
            "allowed is once a frame"
        )


def _are_whole(values: Rows) -> Mask:
    whole: Mask = values == np.floor(values)
    return whole


def _widened(values: Rows, absent: tuple[float, float]) -> Rows:
    """With the seventh and eighth column, as given where the file has none."""
    missing = CLASS + 1 - values.shape[1]
    if missing <= 0:
        return values
    return np.column_stack((values, np.tile(absent[2 - missing :], (len(values), 1))))
