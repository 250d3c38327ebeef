"""What becomes of child processes when we leave without waiting for anybody."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

THREADS = Path("/proc/self/task")


def end_children() -> None:
    """Kill our child processes where the system lists them (Linux); elsewhere they end when they find us gone."""
    for listed in THREADS.glob("*/children"):
        with contextlib.suppress(OSError, ValueError):
            for pid in map(int, listed.read_text("ascii").split()):
                os.kill(pid, signal.SIGKILL)
