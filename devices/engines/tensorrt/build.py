"""Builds an engine in a child process: a crash, a hang or an eaten memory there is an error here, and nothing worse."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from devices.engines.engine import BuildProgress, BuildWatch
from devices.engines.tensorrt.order import CALIBRATION, MODEL, PLAN, TIMING, BuildOrder
from devices.errors import EngineLoadError

CHILD = "devices.engines.tensorrt.build_child"
_LINES_KEPT = 8
_GRACE_S = 10.0
_ERRORS = "errors.txt"


@dataclass(frozen=True, eq=False)
class Built:
    """What a build gave.

    Attributes:
        plan: the engine, serialised.
        notes: what a person should know of it.
        timing, calibration: caches for the next build, or None.
        log: TensorRT's warnings and errors on the way.
    """

    plan: bytes = field(repr=False)
    notes: tuple[str, ...] = ()
    timing: bytes | None = field(default=None, repr=False)
    calibration: bytes | None = field(default=None, repr=False)
    log: tuple[str, ...] = ()


def build(
    graph: bytes, order: BuildOrder, watch: BuildWatch, *, timing: bytes | None = None, calibration: bytes | None = None
) -> Built:
    """Build in a child of low priority, telling progress, ending it at the deadline.

    Raises:
        EngineLoadError: it refused the model, crashed, or was not ready by the deadline; with TensorRT's last errors.
    """
    with tempfile.TemporaryDirectory(prefix="sitewatch-tensorrt-") as name:
        folder = Path(name)
        (folder / MODEL).write_bytes(graph)
        for file, content in ((TIMING, timing), (CALIBRATION, calibration)):
            if content is not None:
                (folder / file).write_bytes(content)
        order.write(folder)
        notes, log = _watched(folder, watch)
        return Built(
            plan=(folder / PLAN).read_bytes(),
            notes=notes,
            timing=_content(folder / TIMING),
            calibration=_content(folder / CALIBRATION),
            log=log,
        )


def _watched(folder: Path, watch: BuildWatch) -> tuple[tuple[str, ...], tuple[str, ...]]:
    log: deque[str] = deque(maxlen=_LINES_KEPT)
    deadline_s = time.monotonic() + watch.deadline_s
    with _child(folder) as child:
        for said in _said(child, deadline_s):
            if "step" in said:
                watch.told(BuildProgress(said["step"], said["fraction"]))
            elif "log" in said:
                log.append(f"{said['severity']}: {said['log']}")
            elif "failed" in said:
                raise EngineLoadError(said["failed"])
            elif "done" in said:
                _let_end(child)
                return tuple(said["done"]), tuple(log)
        found = f"no engine within {watch.deadline_s:g} s" if time.monotonic() >= deadline_s else _end(child, folder)
        raise EngineLoadError("; ".join((f"tensorrt: the build was ended: {found}", *log)))


@contextlib.contextmanager
def _child(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, in a group of its own; whatever happens, nothing of it stays."""
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", CHILD, str(folder)]
    with (folder / _ERRORS).open("wb") as errors:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,  # never written to: its end tells the child that we are gone
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=surroundings,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _said(child: subprocess.Popen[str], deadline_s: float) -> Iterator[dict[str, Any]]:
    """What the child says, until it ends or the deadline; read on a thread, as a pipe has no deadline."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    reader = threading.Thread(target=_read, args=(child, lines), name="tensorrt-build", daemon=True)
    reader.start()
    try:
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left_s)
            except Empty:
                return
            if line is None:
                child.wait()
                return
            with contextlib.suppress(ValueError):
                yield json.loads(line)
    finally:
        child.kill()
        reader.join()


def _read(child: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    for line in child.stdout or ():
        lines.put(line)
    lines.put(None)


def _let_end(child: subprocess.Popen[str]) -> None:
    """It has written everything; it may let go of the device by itself."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_GRACE_S)


def _end(child: subprocess.Popen[str], folder: Path) -> str:
    code = child.wait()
    if code == -signal.SIGKILL:
        return "it was killed, as the system does for want of memory"
    if code < 0:
        return f"it crashed ({signal.Signals(-code).name})"
    words = [line.strip() for line in (folder / _ERRORS).read_text(errors="replace").splitlines() if line.strip()]
    return f"exit status {code} and no engine: {words[-1] if words else 'no reason given'}"


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
