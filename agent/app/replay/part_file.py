"""A result appears under its name only when it is whole."""

from __future__ import annotations

import errno
from pathlib import Path

from agent.errors import OutputError


class PartFile:
    """A file beside its final name while it is written; a device or a pipe is written straight.

    Attributes:
        path: where to write meanwhile; it keeps the ending, which tells writers the format.

    Raises:
        OutputError: the folder does not exist or cannot be written, or the name is a folder's.
    """

    def __init__(self, final: Path) -> None:
        self._final = final
        self._is_straight = final.exists() and not final.is_file()
        self.path = final if self._is_straight else part_of(final)
        try:
            self.path.open("wb").close()
        except OSError as error:
            why = "there is no such folder" if error.errno == errno.ENOENT else error.strerror
            raise OutputError(f"{final} cannot be written: {why}") from error

    def settle(self, *, keep: bool) -> None:
        """Give the file its name, or take it away when the work failed."""
        if self._is_straight:
            return
        if keep:
            self.path.replace(self._final)
        else:
            self.path.unlink(missing_ok=True)


def part_of(final: Path) -> Path:
    """Where a file is written until it is whole."""
    return final.with_name(f".{final.stem}.part{final.suffix}")
