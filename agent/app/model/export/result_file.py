"""The file to write: refused before the work when it cannot be, there afterwards only when it is whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType

from agent.app.replay.part_file import PartFile
from agent.errors import OutputError


class ResultFile:
    """One file that appears under its name when it is written; a context manager. Left unwritten, it leaves nothing."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._is_written = False

    def __enter__(self) -> ResultFile:
        """Make room beside the name.

        Raises:
            OutputError: there is no such folder, or it cannot be written.
        """
        self._part = PartFile(self._path)
        return self

    def write(self, content: bytes) -> None:
        """Write everything, onto the disk for sure.

        Raises:
            OutputError: the disk is full, or fails.
        """
        try:
            with self._part.path.open("wb") as stream:
                stream.write(content)
                stream.flush()
                if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}") from error
        self._is_written = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._part.settle(keep=self._is_written and kind is None)
