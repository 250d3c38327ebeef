"""Whether something grows: a robust slope over the samples of every life of the agent, against stated limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

MIB = 1024**2
HOUR_S = 3600.0
# Of a long life so many points are enough; each is the median of those it stands for.
MOST_POINTS = 400
FEWEST_POINTS = 8


@dataclass(frozen=True)
class Sample:
    """The agent at one moment.

    Attributes:
        at_s: since the soak began.
        life: which start of the agent, from 1.
        age_s: of this life.
        resident_bytes, descriptors, threads, cpu_s: as `soak.vitals.Vitals` has them.
        outbox_events: that wait.
        outbox_bytes: of its files on the disk.
    """

    at_s: float
    life: int
    age_s: float
    resident_bytes: int
    descriptors: int
    threads: int
    cpu_s: float
    outbox_events: int
    outbox_bytes: int


@dataclass(frozen=True)
class Limit:
    """How much a figure may rise in a window: so much anyway, and so much more with every hour of it."""

    figure: str
    anyway: float
    per_hour: float
    unit: float = 1.0

    def over(self, window_s: float) -> float:
        """What is allowed in a window."""
        return self.anyway + self.per_hour * window_s / HOUR_S


# "Anyway" is what settles late: memory pools of the decoder and the run-time, sockets of what is away just now.
LIMITS = (
    Limit("resident_bytes", 24 * MIB, 4 * MIB, MIB),
    Limit("descriptors", 6, 1),
    Limit("threads", 3, 0.5),
    Limit("outbox_events", 100, 20),
    Limit("outbox_bytes", 8 * MIB, 1 * MIB, MIB),
)


@dataclass(frozen=True)
class Growth:
    """How one figure went.

    Attributes:
        limit: what is allowed.
        first, last, peak: the median of the first and the last tenth of the samples; the highest.
        per_hour: the slope.
        rise: in the longest life.
        allowed: of `rise`.
    """

    limit: Limit
    first: float
    last: float
    peak: float
    per_hour: float
    rise: float
    allowed: float

    @property
    def is_good(self) -> bool:
        """Whether it stays within its limit."""
        return self.rise <= self.allowed


def growth(samples: Sequence[Sample], limit: Limit, warm_up_s: float) -> Growth | None:
    """How a figure went after each life's warm-up; None where there are too few samples to tell."""
    lives = [list(life) for _, life in groupby(samples, key=lambda sample: sample.life)]
    lives = [[sample for sample in life if sample.age_s >= warm_up_s] for life in lives]
    lives = [life for life in lives if len(life) >= FEWEST_POINTS]
    if not lives:
        return None
    series = [_thinned(life, limit.figure) for life in lives]
    per_s = slope(series)
    window_s = max(life[-1].age_s - life[0].age_s for life in lives)
    values = np.concatenate([points[:, 1] for points in series])
    tenth = max(1, len(values) // 10)
    return Growth(
        limit=limit,
        first=float(np.median(values[:tenth])),
        last=float(np.median(values[-tenth:])),
        peak=max(float(getattr(sample, limit.figure)) for life in lives for sample in life),
        per_hour=per_s * HOUR_S,
        rise=per_s * window_s,
        allowed=limit.over(window_s),
    )


def slope(series: Sequence[np.ndarray[tuple[int, int], np.dtype[np.float64]]]) -> float:
    """The median slope of all pairs of points that lie well apart in one series (Theil 1950, Sen 1968).

    Up to 29 % of the points may be anything without moving it far. A start anew begins a series of its own.

    Args:
        series: each (N, 2) float64: seconds, value.
    """
    slopes = []
    for points in series:
        i, j = np.triu_indices(len(points), 1)
        apart_s = points[j, 0] - points[i, 0]
        is_far = apart_s >= (points[-1, 0] - points[0, 0]) / 4
        slopes.append((points[j, 1] - points[i, 1])[is_far] / apart_s[is_far])
    return float(np.median(np.concatenate(slopes)))


def _thinned(life: Sequence[Sample], figure: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    points = np.array([(sample.age_s, getattr(sample, figure)) for sample in life], np.float64)
    if len(points) <= MOST_POINTS:
        return points
    return np.array([np.median(part, axis=0) for part in np.array_split(points, MOST_POINTS)])
