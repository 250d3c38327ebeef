"""Notices that the model's file is no longer the one that was loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from agent.pipeline.channel import Beat
from devices.engines.any_model import read_any_model
from devices.errors import DevicesError

LOOK_EVERY_S = 1.0
_Look = tuple[int, int, int]


class ModelWatch:
    """Looks at the file's times about once a second, and reads it only where those changed; a thread of its own."""

    def __init__(self, path: Path, sha256: str, tell: Callable[[bool], None]) -> None:
        """Nothing is looked at yet.

        Args:
            path: of the model.
            sha256: of what was loaded.
            tell: called with whether it is another, each time that this changes.
        """
        self._path = path
        self._sha256 = sha256
        self._tell = tell
        self._seen: _Look | None = None
        self._is_changed = False
        self._is_over = threading.Event()

    def run(self, beat: Beat) -> None:
        """Look until stopped."""
        while not self._is_over.wait(LOOK_EVERY_S):
            beat()
            self.turn()

    def stop(self) -> None:
        """End soon; any thread."""
        self._is_over.set()

    def turn(self) -> None:
        """Look once."""
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        is_changed = self._digest() != self._sha256
        if is_changed != self._is_changed:
            self._is_changed = is_changed
            self._tell(is_changed)

    def _look(self) -> _Look:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _digest(self) -> str:
        try:
            return read_any_model(self._path).sha256
        except DevicesError:
            return ""
