"""A lock between processes that the system lets go when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path


def file_lock(path: Path) -> AbstractContextManager[None]:
    """Open the lock's file now; entering waits until nobody else holds it.

    The file stays: removing it would let two processes hold locks on two files of one name.

    Raises:
        OSError: the file cannot be made.
    """
    return _held(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))


@contextmanager
def _held(handle: int) -> Iterator[None]:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
