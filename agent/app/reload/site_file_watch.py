"""Notices that the site file says something else."""

from __future__ import annotations

import hashlib
from pathlib import Path

Signature = tuple[int, int, int]


class SiteFileWatch:
    """Looked at every few seconds by one thread; reads the file only when the file system says that it was written.

    A file that is being written is left alone until two looks in a row find it the same. One that is away for the
    moment, as while an editor replaces it, has not changed; and neither has one that was only touched.
    """

    def __init__(self, path: Path) -> None:
        """What is there now is taken for known with the first look."""
        self._path = path
        self._known: Signature | None = None
        self._seen: Signature | None = None
        self._digest = b""

    def know(self) -> None:
        """What is there now is about to be read."""
        self._known = self._seen = self._signature()
        self._digest = self._read()

    def has_changed(self) -> bool:
        """Whether it says something else than what is known, and is not being written any more."""
        signature = self._signature()
        is_settled, self._seen = signature == self._seen, signature
        if signature is None or signature == self._known or not is_settled:
            return False
        self._known = signature
        return self._read() != self._digest

    def _signature(self) -> Signature | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> bytes:
        try:
            return hashlib.sha256(self._path.read_bytes()).digest()
        except OSError:
            return b""
