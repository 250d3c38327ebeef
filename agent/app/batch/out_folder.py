"""The folder of results: made where it is missing, and used by one run at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from agent.errors import OutputError


class OutFolder:
    """Held while entered; the system lets it go when the process dies, however it does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> OutFolder:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise OutputError(f"{self._path} cannot be made or used as a folder: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise OutputError(f"{self._path} is in use by another batch; wait for it, or name another --out") from error
        except OSError:  # a file system without locks, as some of the network are
            pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
