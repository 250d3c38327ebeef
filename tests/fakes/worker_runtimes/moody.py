"""A run-time for the engine worker that doubles x, or does what its first value says: crash, hang, fail, print."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

CRASH, HANG, FAIL, PRINT, EXIT, NONSENSE = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0


class Moody:
    """Doubles."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.lanes = options.get("lanes", 1)
        self.spec = {"runtime_version": "1", "pid": os.getpid()}

    def session(self) -> Callable[[Any], Any]:
        """What answers a lane."""
        return infer

    def close(self) -> None:
        """Nothing to let go of."""


def load(model: bytes, options: dict[str, Any], tell: Callable[..., None]) -> Moody:
    """Obey the options."""
    print("loading", len(model), "bytes")  # noqa: T201 - what vendor libraries do
    tell("half of it", 0.5)
    if "mood" in options:
        infer({"x": [[options["mood"]]]})
    return Moody(options)


def infer(tensors: dict[str, Any]) -> dict[str, Any]:
    """Twice x, unless told otherwise."""
    mood = float(tensors["x"][0][0])
    if mood == CRASH:
        os.kill(os.getpid(), signal.SIGSEGV)
    if mood == HANG:
        time.sleep(600)
    if mood == FAIL:
        raise RuntimeError("not\nin the mood")
    if mood == PRINT:
        os.write(1, b"\0\0\0\x02{}garbage on standard output\n" * 100)
        sys.stderr.write("and on standard error\n")
    if mood == EXIT:
        sys.stderr.write("terminate called: out of patience\n")
        sys.stderr.flush()
        os._exit(3)
    return {"z" if mood == NONSENSE else "y": tensors["x"] * 2}
