"""What a worker and its libraries print: kept for the last words of a worker that ends badly, and never for more."""

from __future__ import annotations

import os
import threading

from devices.engines.worker.unnamed_memory import unnamed_memory

_MOST_BYTES = 1 << 16
_LAST_BYTES = 4096
_LONGEST_LINE = 300


class Noise:
    """Memory that stands for standard output and error. Any thread may read, one closes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lock = threading.Lock()

    def bound(self) -> None:
        """Forget what has grown too large: a library may print a line an inference."""
        with self._lock:
            if self.descriptor >= 0 and os.fstat(self.descriptor).st_size > _MOST_BYTES:
                os.ftruncate(self.descriptor, 0)

    def last_line(self) -> str:
        """The last line that is not empty, or nothing."""
        with self._lock:
            if self.descriptor < 0:
                return ""
            begin = max(0, os.fstat(self.descriptor).st_size - _LAST_BYTES)
            lines = os.pread(self.descriptor, _LAST_BYTES, begin).decode("utf-8", "replace").splitlines()
        return next((line.strip()[:_LONGEST_LINE] for line in reversed(lines) if line.strip(" \0")), "")

    def close(self) -> None:
        """Let go of it; may be called twice."""
        with self._lock:
            if self.descriptor >= 0:
                os.close(self.descriptor)
            self.descriptor = -1


def open_noise() -> Noise:
    """Empty, every write at its end.

    Raises:
        OSError: no descriptor is left.
    """
    return Noise(unnamed_memory("noise", is_log=True))
