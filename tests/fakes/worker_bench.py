"""Engines in workers whose run-time does as a test tells it, and what such an engine may leave behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from fakes.engine import CPU
from fakes.worker_runtimes import moody

from devices.engines.engine import BuildWatch, EngineSpec, Session, TensorSpec
from devices.engines.worker.isolated_engine import IsolatedEngine
from devices.engines.worker.loading import open_engine
from devices.engines.worker.worker_order import WorkerLimits, WorkerOrder

PROGRAM = WorkerOrder.program
QUICK = WorkerLimits(start_s=20, infer_s=10, close_s=5, pauses_s=(0.0, 0.01))
X = TensorSpec("x", "float32", (None, None))
Y = TensorSpec("y", "float32", (None, None))


def interpreter() -> Path:
    """The worker's Python: the tests' own, or another one with NumPy that the environment names."""
    return Path(os.environ.get("SITEWATCH_WORKER_PYTHON") or sys.executable)


@contextmanager
def open_moody(
    limits: WorkerLimits = QUICK,
    told: Callable[[str], None] = lambda _: None,
    *,
    program: Path = PROGRAM,
    python: Path | None = None,
    build: BuildWatch | None = None,
    **options: Any,
) -> Iterator[IsolatedEngine]:
    """An engine in a worker that doubles x, closed at the end."""
    order = WorkerOrder(
        name="moody",
        interpreter=python or interpreter(),
        runtime=Path(moody.__file__),
        model=lambda: b"model",
        options=options,
        lanes=options.get("lanes", 1),
        build=build or BuildWatch(deadline_s=20, restarted=told),
        program=program,
    )
    spec = EngineSpec("moody", "1", CPU, "fp32", (X,), (Y,), "0" * 64)
    engine = open_engine(order, limits, spec=lambda _: spec, feed=dict)
    try:
        yield engine
    finally:
        engine.close()


def ask(session: Session, value: float) -> float:
    """One small inference."""
    return float(session.infer({"x": np.full((2, 3), value, np.float32)})["y"][1, 2])


def open_descriptors() -> int:
    """Of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def shared_memory() -> list[str]:
    """Memory of lanes that this process still sees, and what anybody's shared memory of ours is called."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    named = [path.name for path in Path("/dev/shm").iterdir()]
    return [line for line in maps if "memfd:sitewatch" in line] + [name for name in named if "sitewatch" in name]


def children() -> set[int]:
    """Processes that this one started and that are there still, dead ones not reaped among them."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text(encoding="ascii").split()}
