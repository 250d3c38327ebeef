"""Recorded machines: one text file each in `tests/boards`, in the form of `devices.recordings.form`."""

from __future__ import annotations

from pathlib import Path

from devices.recordings.form import Record, read
from devices.recordings.playback import RecordedRoot, play

BOARDS = Path(__file__).resolve().parent.parent / "boards"
BOARD_NAMES = tuple(sorted(path.stem for path in BOARDS.glob("*.txt")))


def recorded(name: str) -> Record:
    """The record of this name."""
    return read((BOARDS / f"{name}.txt").read_text(encoding="utf-8"))


def board(name: str) -> RecordedRoot:
    """The recorded machine of this name."""
    return play(recorded(name))
