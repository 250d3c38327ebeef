"""What a worker is to run, how long it may take, and how its loss shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.engines.engine import BuildWatch
from devices.errors import InferenceError

HERE = Path(__file__).resolve().parent


class WorkerLost(InferenceError):  # noqa: N818 - it says what is so, like `EngineUnavailable`
    """The worker crashed, hung or answered nonsense, and is gone; another one may answer the next call."""


@dataclass(frozen=True)
class WorkerOrder:
    """What a worker is to run.

    Attributes:
        name: of the run-time, for people.
        interpreter: a Python of its own with NumPy and the run-time, or a script that sets up its surroundings and
            ends in `exec python "$@"`.
        runtime: the file under `runtimes`.
        model: gives what the file's `load` takes, anew for every worker that is started.
        options: as the file's `load` takes them.
        lanes: how many requests may run at once, at most.
        build: who is told of a long load and of restarts, and how long a load may take.
        program: the worker itself.
    """

    name: str
    interpreter: Path
    runtime: Path
    model: Callable[[], bytes]
    options: Mapping[str, Any]
    lanes: int
    build: BuildWatch
    program: Path = HERE / "engine_worker.py"


@dataclass(frozen=True)
class WorkerLimits:
    """How long is too long, and how often too often.

    Attributes:
        start_s: seconds until a new worker says hello; NumPy from a slow card takes some.
        infer_s: seconds for one inference, waiting for a lane included, and what a run-time does at its first.
        close_s: seconds for an orderly end, before it is killed.
        losses_in_a_row: after so many without an inference between them no other worker is started.
        pauses_s: seconds to wait before the restart after the first loss, the second, ...; the last holds for the rest.
    """

    start_s: float = 60.0
    infer_s: float = 30.0
    close_s: float = 5.0
    losses_in_a_row: int = 5
    pauses_s: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)


LIMITS = WorkerLimits()
