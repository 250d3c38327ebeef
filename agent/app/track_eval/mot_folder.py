"""Tracks of whole sequences as MOTChallenge files, for other evaluators."""

from __future__ import annotations

from pathlib import Path

from agent.app.replay.part_file import PartFile
from agent.errors import OutputError
from agent.evaluation.following import Followed, mot_text

INPUTS = ("gt.txt", "det.txt")


class MotFolder:
    """A folder with a file a sequence, or a folder a set of parameters and a file a sequence in it."""

    def __init__(self, folder: Path, *, has_sets: bool) -> None:
        self._folder = folder
        self._has_sets = has_sets

    def write(self, set_name: str, sequence_name: str, followed: Followed) -> None:
        """Write one file whole, or leave what was there; folders are made.

        Raises:
            OutputError: it cannot be written.
        """
        folder = self._folder / set_name if self._has_sets else self._folder
        path = folder / f"{sequence_name}.txt"
        if path.name in INPUTS and path.exists():
            raise OutputError(f"{path} is there already and looks like an input; name another folder")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent} cannot be made: {error.strerror}") from error
        _write(path, "".join(mot_text(frame, tracks) for frame, tracks in followed.frames))


def _write(path: Path, text: str) -> None:
    part = PartFile(path)
    is_written = False
    try:
        part.path.write_text(text, "ascii")
        is_written = True
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.settle(keep=is_written)
