"""What rounds of one combination come to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from agent.models.bench.timed_round import Round


@dataclass(frozen=True)
class Figures:
    """Of all rounds together.

    Attributes:
        inferences: how many counted.
        mean_ms, deviation_ms: of the time one inference takes, and its sample standard deviation.
        p50_ms, p95_ms, p99_ms: percentiles of it, between two measured ones by their distance.
        least_ms, most_ms: the shortest and the longest.
        pictures_per_s: median of the rounds, all sessions together.
        rounds_per_s: the same of each round, in order.
        processor_ms: of one picture, all threads together; median of the rounds.
        peak_bytes: most memory of the process in any round; None where the system does not tell.
        engine_bytes: of that, what came with the engine.
        bytes_per_picture: that, by pictures that are inside at once (batch x sessions).
        load_s: to make the engine ready the first time.
        first_ms: the very first inference; median of the rounds.
        runtime_version, precision: of the engine.
    """

    inferences: int
    mean_ms: float
    deviation_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    least_ms: float
    most_ms: float
    pictures_per_s: float
    rounds_per_s: tuple[float, ...]
    processor_ms: float
    peak_bytes: int | None
    engine_bytes: int | None
    bytes_per_picture: int | None
    load_s: float
    first_ms: float
    runtime_version: str
    precision: str


def figures_of(rounds: Sequence[Round], sessions: int) -> Figures:
    """Put rounds together; at least one."""
    times_ms = sorted(1e3 * each for measured in rounds for each in measured.latencies_s)
    rates = tuple(_pictures(each) / each.wall_s for each in rounds)
    grown = _most([each.grown_bytes for each in rounds])
    return Figures(
        inferences=len(times_ms),
        mean_ms=statistics.fmean(times_ms),
        deviation_ms=statistics.stdev(times_ms) if len(times_ms) > 1 else 0.0,
        p50_ms=percentile(times_ms, 50),
        p95_ms=percentile(times_ms, 95),
        p99_ms=percentile(times_ms, 99),
        least_ms=times_ms[0],
        most_ms=times_ms[-1],
        pictures_per_s=statistics.median(rates),
        rounds_per_s=rates,
        processor_ms=statistics.median(1e3 * each.processor_s / _pictures(each) for each in rounds),
        peak_bytes=_most([each.peak_bytes for each in rounds]),
        engine_bytes=grown,
        bytes_per_picture=None if grown is None else grown // (rounds[0].pictures * sessions),
        load_s=rounds[0].load_s,
        first_ms=statistics.median(1e3 * each.first_s for each in rounds),
        runtime_version=rounds[0].runtime_version,
        precision=rounds[0].precision,
    )


def percentile(rising: Sequence[float], per_cent: float) -> float:
    """Of values that rise: the one at this share of the way from the first to the last, interpolated."""
    place = (len(rising) - 1) * per_cent / 100
    low = math.floor(place)
    high = min(low + 1, len(rising) - 1)
    return rising[low] + (rising[high] - rising[low]) * (place - low)


def _pictures(measured: Round) -> int:
    return len(measured.latencies_s) * measured.pictures


def _most(values: Sequence[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return max(told, default=None)
