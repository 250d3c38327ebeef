"""A result appears under its name only when it is whole."""

from __future__ import annotations

import errno
from pathlib import Path

from agent.errors import OutputError


class PartFile:
    """A file beside its final name while it is written.

    Attributes:
        path: where to write meanwhile; it keeps the ending, which tells writers the format.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """

    def __init__(self, final: Path) -> None:
        self._final = final
        self.path = final.with_name(f".{final.stem}.part{final.suffix}")
        try:
            self.path.touch()
        except OSError as error:
            why = "there is no such folder" if error.errno == errno.ENOENT else error.strerror
            raise OutputError(f"{final} cannot be written: {why}") from error

    def settle(self, *, keep: bool) -> None:
        """Give the file its name, or take it away when the work failed."""
        if keep:
            self.path.replace(self._final)
        else:
            self.path.unlink(missing_ok=True)
