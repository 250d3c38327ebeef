"""A recorded sequence: what was there, and what a detector saw of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from agent.errors import SequenceError
from agent.evaluation.mot_files import CLASS, CONSIDERED, FRAME, read_detections, read_truth
from agent.evaluation.mot_rows import Rows
from agent.evaluation.sequence_facts import SequenceFacts, read_facts

TRUTH_NAMES = ("gt/gt.txt", "gt.txt")
DETECTIONS_NAMES = ("det/det.txt", "det.txt")
PEDESTRIAN = 1.0
# MOT17's person on vehicle, static person, distractor and reflection; in MOT20 vehicles without a motor as well.
DISTRACTORS = (2, 7, 8, 12)
DISTRACTORS_OF_MOT20 = (2, 6, 7, 8, 12)
LAST_CLASS = 13


class Preprocessing(str, Enum):
    """Whether tracks on distractors are taken out and only pedestrians count, as MOT16, MOT17 and MOT20 are scored."""

    AUTO = "auto"
    MOT17 = "mot17"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Sequence:
    """Rows as in the files.

    Attributes:
        name: its folder, below the folder that was named.
        frame_rate: frames a second.
        length: number of frames; they count from 1.
        distractors: classes of the truth on which a track is neither right nor wrong; empty: every row counts.
        truth: (N, 8) frame, id, left, top, width, height, considered, class.
        detections: (N, 8) frame, -1, left, top, width, height, score, class; empty if they were not asked for.
    """

    name: str
    frame_rate: float
    length: int
    distractors: tuple[int, ...]
    truth: Rows
    detections: Rows


def truth_of(folder: Path) -> Path | None:
    """Its ground truth, if it has one."""
    return _first(folder, TRUTH_NAMES)


def read_sequence(
    folder: Path,
    name: str,
    *,
    frame_rate: float | None = None,
    preprocessing: Preprocessing = Preprocessing.AUTO,
    with_detections: bool = True,
) -> Sequence:
    """Read and check one folder.

    Args:
        folder: gt/gt.txt or gt.txt; det/det.txt or det.txt; seqinfo.ini or seq.json.
        name: what to call it.
        frame_rate: frames a second; None: as the sequence says.
        preprocessing: AUTO goes by what seq.json says, else by the look of the classes.
        with_detections: whether they are needed.

    Raises:
        SequenceError: something is missing or wrong, with file, line, what was found and what is allowed.
    """
    facts = read_facts(folder)
    truth = read_truth(_there(folder, TRUTH_NAMES, "ground truth"), facts.length)
    detections = np.zeros((0, CLASS + 1))
    if with_detections:
        detections = read_detections(_there(folder, DETECTIONS_NAMES, "detections"), facts.length)
    rate = facts.frame_rate if frame_rate is None else frame_rate
    if rate is None:
        raise SequenceError(f"{folder}: no frame rate; name it in seqinfo.ini (frameRate) or with --frame-rate")
    distractors = _distractors(f"{facts.name} {folder.resolve()}", facts, truth, preprocessing)
    if not counted(truth, distractors).any():
        raise SequenceError(f"{folder}: no row of the ground truth counts; the seventh column is 0 in all of them")
    last = max(float(rows[:, FRAME].max(initial=0)) for rows in (truth, detections))
    return Sequence(name, rate, facts.length or int(last), distractors, truth, detections)


def counted(truth: Rows, distractors: tuple[int, ...]) -> Rows:
    """(N,) bool; which rows of the truth are to be found by a tracker."""
    is_considered: Rows = truth[:, CONSIDERED] != 0
    return is_considered & (truth[:, CLASS] == PEDESTRIAN) if distractors else is_considered


def _distractors(names: str, facts: SequenceFacts, truth: Rows, preprocessing: Preprocessing) -> tuple[int, ...]:
    if preprocessing is Preprocessing.AUTO:
        is_mot17 = facts.has_distractors if facts.has_distractors is not None else _looks_like_mot17(truth)
    else:
        is_mot17 = preprocessing is Preprocessing.MOT17
    if not is_mot17:
        return ()
    return DISTRACTORS_OF_MOT20 if "MOT20" in names else DISTRACTORS


def _looks_like_mot17(truth: Rows) -> bool:
    """Classes from 1 to 13, distractors among them, and none but pedestrians considered."""
    classes = truth[:, CLASS]
    others = classes != PEDESTRIAN
    return bool(
        np.isin(classes, np.arange(1, LAST_CLASS + 1)).all()
        and np.isin(classes, DISTRACTORS_OF_MOT20).any()
        and not truth[others, CONSIDERED].any()
    )


def _there(folder: Path, names: tuple[str, ...], what: str) -> Path:
    path = _first(folder, names)
    if path is None:
        raise SequenceError(f"{folder}: no {what}; allowed is {' or '.join(names)}")
    return path


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
