"""Memory without a name: it goes with the last process that has it, however that ends; nothing is left behind."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile


def unnamed_memory(purpose: str, *, is_log: bool = False) -> int:
    """A descriptor of empty memory, not inherited unless passed on by number; the caller closes it.

    Where the system can, it is sealed against shrinking: a worker gone mad cannot take pages from under a reader.
    A log may shrink, and every write goes to its end.

    Raises:
        OSError: no descriptor, or no place for one, is left.
    """
    descriptor = _anonymous(f"sitewatch-{purpose}")
    if is_log:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    elif sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return descriptor


def filled_memory(purpose: str, content: bytes) -> int:
    """The same with content.

    Raises:
        OSError: there is no room for it.
    """
    descriptor = unnamed_memory(purpose)
    try:
        with open(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _anonymous(name: str) -> int:
    if sys.platform == "linux":
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:  # noqa: RET505 - the type checker leaves out the branch of another system only as a branch
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
