"""The files that are played, so that none of them is ever written to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from agent.app.batch.clip_files import ResultPaths
from agent.app.batch.clips import Clip
from agent.errors import OutputError


class Inputs:
    """Files by what they are, not by how they are called: links and other spellings make no difference."""

    def __init__(self, clips: Iterable[Clip]) -> None:
        self._known: set[tuple[int, int]] = set()
        for clip in clips:
            with suppress(OSError):  # there is none: it fails when it is played
                found = clip.path.stat()
                self._known.add((found.st_dev, found.st_ino))

    def __contains__(self, path: Path) -> bool:
        """Whether a path is one of these files."""
        try:
            found = path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) in self._known

    def refuse_as_results(self, results: Iterable[ResultPaths]) -> None:
        """Make sure that no result would be written over a clip.

        Raises:
            OutputError: one would.
        """
        for path in (path for each in results for path in each.every()):
            if path in self:
                raise OutputError(
                    f"{path} is a clip itself, and its results would be written over it; name another --out"
                )
