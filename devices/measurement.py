"""Times an engine: how long it takes to load, to warm up, and for one inference."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from devices.engines.engine import Engine, EngineSpec, Session, Tensors


@dataclass(frozen=True)
class Stopwatch:
    """The clocks a measurement reads.

    Attributes:
        wall_s: seconds that only rise (`time.monotonic` or finer).
        processor_s: processor seconds this process has used (`time.process_time`).
    """

    wall_s: Callable[[], float]
    processor_s: Callable[[], float]


@dataclass(frozen=True)
class Measurement:
    """How fast an engine is.

    Attributes:
        load_s: seconds to make the model ready.
        warm_up_s: seconds of the first inference.
        min_s, median_s: wall seconds of one inference.
        processor_s: median processor seconds of one inference, all threads together.
        inferences: how many were measured.
    """

    load_s: float
    warm_up_s: float
    min_s: float
    median_s: float
    processor_s: float
    inferences: int

    @property
    def text(self) -> str:
        """For a person: "9.8 ms, 18.1 ms of processor time"."""
        return f"{self.median_s * 1e3:.1f} ms, {self.processor_s * 1e3:.1f} ms of processor time"


def measure(
    load: Callable[[], Engine], stopwatch: Stopwatch, feed: Callable[[EngineSpec], Tensors], inferences: int
) -> tuple[Engine, Measurement]:
    """Load an engine and time `inferences` inferences after one that warms it up.

    Raises:
        DevicesError: it cannot be loaded or run; it is closed then.
    """
    started_s = stopwatch.wall_s()
    engine = load()
    load_s = stopwatch.wall_s() - started_s
    try:
        session = engine.session()
        try:
            return engine, _timed(session, stopwatch, feed(engine.spec), inferences, load_s)
        finally:
            session.close()
    except BaseException:
        engine.close()
        raise


def _timed(session: Session, stopwatch: Stopwatch, tensors: Tensors, inferences: int, load_s: float) -> Measurement:
    warm_up_s, _ = timed_once(session, stopwatch, tensors)
    times = [timed_once(session, stopwatch, tensors) for _ in range(inferences)]
    walls = [wall_s for wall_s, _ in times]
    return Measurement(
        load_s=load_s,
        warm_up_s=warm_up_s,
        min_s=min(walls),
        median_s=statistics.median(walls),
        processor_s=statistics.median(processor_s for _, processor_s in times),
        inferences=inferences,
    )


def timed_once(session: Session, stopwatch: Stopwatch, tensors: Tensors) -> tuple[float, float]:
    """Wall seconds and processor seconds of one inference.

    Raises:
        InferenceError: it failed.
    """
    wall_s, processor_s = stopwatch.wall_s(), stopwatch.processor_s()
    session.infer(tensors)
    return stopwatch.wall_s() - wall_s, stopwatch.processor_s() - processor_s
