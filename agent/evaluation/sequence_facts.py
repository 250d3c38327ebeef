"""What a sequence says of itself: `seqinfo.ini`, as MOTChallenge has it, or `seq.json`."""

from __future__ import annotations

import configparser
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import SequenceError
from agent.evaluation.mot_files import LONGEST_FRAMES
from agent.evaluation.mot_rows import read_text

SECTION = "Sequence"


@dataclass(frozen=True)
class SequenceFacts:
    """None is what it does not say.

    Attributes:
        name: what its makers call it.
        frame_rate: frames a second.
        length: number of frames.
        has_distractors: whether the classes of its truth are MOT17's.
    """

    name: str = ""
    frame_rate: float | None = None
    length: int | None = None
    has_distractors: bool | None = None


def read_facts(folder: Path) -> SequenceFacts:
    """Read what is there; neither file need be.

    Raises:
        SequenceError: a file that is there cannot be used; names file, key, what was found and what is allowed.
    """
    if (folder / "seqinfo.ini").exists():
        return _from_ini(folder / "seqinfo.ini")
    if (folder / "seq.json").exists():
        return _from_json(folder / "seq.json")
    return SequenceFacts()


def _from_ini(path: Path) -> SequenceFacts:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path))
    except configparser.Error as error:
        where = f":{line}" if (line := getattr(error, "lineno", None)) else ""
        raise SequenceError(f"{path}{where}: not an ini file; allowed is [{SECTION}], then lines key=value") from error
    if not parser.has_section(SECTION):
        raise SequenceError(f"{path}: no section [{SECTION}]; allowed is [{SECTION}] with frameRate and seqLength")
    found: dict[str, Any] = dict(parser[SECTION])
    return SequenceFacts(
        name=found.get("name", ""),
        frame_rate=_rate(path, "frameRate", found.get("framerate")),
        length=_length(path, "seqLength", found.get("seqlength")),
    )


def _from_json(path: Path) -> SequenceFacts:
    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        raise SequenceError(f"{path}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise SequenceError(f"{path}: not an object; allowed is an object with fps and length")
    distractors = found.get("preproc")
    if distractors is not None and not isinstance(distractors, bool):
        raise SequenceError(f"{path}: preproc is {distractors!r}; allowed is true or false")
    name = found.get("name", "")
    return SequenceFacts(
        name=name if isinstance(name, str) else "",
        frame_rate=_rate(path, "fps", found.get("fps")),
        length=_length(path, "length", found.get("length")),
        has_distractors=distractors,
    )


def _rate(path: Path, key: str, written: object) -> float | None:
    rate = _number(written)
    if rate is not None and not 0.0 < rate < math.inf:
        raise SequenceError(f"{path}: {key} is {written!r}; allowed is a number of frames a second, above 0")
    return rate


def _length(path: Path, key: str, written: object) -> int | None:
    length = _number(written)
    if length is None:
        return None
    if not (1 <= length <= LONGEST_FRAMES and length == int(length)):
        raise SequenceError(f"{path}: {key} is {written!r}; allowed is a whole number from 1 to {LONGEST_FRAMES}")
    return int(length)


def _number(written: object) -> float | None:
    """As a number; what is none becomes one that no rule allows."""
    if written is None:
        return None
    try:
        return float(written) if isinstance(written, (int, float, str)) and not isinstance(written, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan
