"""One round in this process: an engine is loaded, warmed up, and every session infers until the time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

from devices.engines.engine import Engine, Session, Tensors
from devices.measurement import Stopwatch, timed_once


@dataclass(frozen=True)
class Pace:
    """How long a round is.

    Attributes:
        warm_up_s: seconds of inferences that do not count.
        measured_s: seconds of those that do.
        least: inferences of every session that count, at least.
    """

    warm_up_s: float = 0.5
    measured_s: float = 2.0
    least: int = 5


@dataclass(frozen=True)
class Round:
    """What one round measured.

    Attributes:
        latencies_s: wall seconds of each inference that counts, of all sessions.
        wall_s: from the first that counts to the end of the last.
        processor_s: processor seconds of this process in that time, all threads together.
        load_s: seconds to make the engine ready.
        first_s: seconds of the very first inference.
        pictures: in one inference.
        peak_bytes: the most memory the process ever held; None where the system does not tell.
        grown_bytes: of that, what came with the engine.
        runtime_version, precision: of the engine.
    """

    latencies_s: tuple[float, ...]
    wall_s: float
    processor_s: float
    load_s: float
    first_s: float
    pictures: int
    peak_bytes: int | None
    grown_bytes: int | None
    runtime_version: str
    precision: str


def take_round(
    load: Callable[[], Engine],
    tensors: Tensors,
    pictures: int,
    sessions: int,
    pace: Pace,
    stopwatch: Stopwatch,
    memory: Callable[[], int | None],
) -> Round:
    """Load an engine and time it.

    Args:
        load: makes the engine ready.
        tensors: what every inference is given.
        pictures: in it.
        sessions: inferences at once, each with a session and a thread of its own.
        pace: how long.
        stopwatch: clocks.
        memory: the most bytes this process ever held.

    Raises:
        DevicesError: the engine cannot be loaded or run.
    """
    before, began_s = memory(), stopwatch.wall_s()
    with ExitStack() as stack:
        engine = stack.enter_context(closing(load()))
        load_s = stopwatch.wall_s() - began_s
        own = [stack.enter_context(closing(engine.session())) for _ in range(sessions)]
        first_s, _ = timed_once(own[0], stopwatch, tensors)
        _together(own, lambda session: _infer_for(session, tensors, pace.warm_up_s, 1, stopwatch))
        began = stopwatch.wall_s(), stopwatch.processor_s()
        latencies_s = _together(own, lambda one: _infer_for(one, tensors, pace.measured_s, pace.least, stopwatch))
        wall_s, processor_s = stopwatch.wall_s() - began[0], stopwatch.processor_s() - began[1]
        peak, version, precision = memory(), engine.spec.runtime_version, engine.spec.precision
    grown = None if peak is None or before is None else peak - before
    return Round(latencies_s, wall_s, processor_s, load_s, first_s, pictures, peak, grown, version, precision)


def _together(sessions: list[Session], work: Callable[[Session], list[float]]) -> tuple[float, ...]:
    """Every session at its work at once; what each took."""
    start = threading.Barrier(len(sessions))

    def turn(session: Session) -> list[float]:
        start.wait()
        return work(session)

    with ThreadPoolExecutor(len(sessions)) as pool:
        return tuple(took_s for took in pool.map(turn, sessions) for took_s in took)


def _infer_for(session: Session, tensors: Tensors, seconds: float, least: int, stopwatch: Stopwatch) -> list[float]:
    """Infer until the time is over, but so often at least."""
    until_s = stopwatch.wall_s() + seconds
    took: list[float] = []
    while len(took) < least or stopwatch.wall_s() < until_s:
        took.append(timed_once(session, stopwatch, tensors)[0])
    return took
