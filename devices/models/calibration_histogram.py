"""What values a tensor takes, in bounded memory however many pictures are seen; and the limit that suits eight bits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 2048
_LEVELS = 128
_STEP = 16
"""Bins between two limits that entropy tries: a step is under 1 % of the reach, and all would take 16 times as long."""


class CalibrationMethod(str, Enum):
    """How the limit is chosen beyond which values are cut off."""

    ENTROPY = "entropy"
    PERCENTILE = "percentile"
    MINMAX = "minmax"


@dataclass(frozen=True)
class Range:
    """The part of a tensor's values that is kept, the lower end at most 0, the upper at least 0."""

    low: float
    high: float

    @property
    def limit(self) -> float:
        """The same to both sides of nought."""
        return max(-self.low, self.high)


class Histogram:
    """Distances from nought in equal bins, twice as wide whenever a value lies beyond; and the outermost values."""

    def __init__(self) -> None:
        self.low = 0.0
        self.high = 0.0
        self._counts = np.zeros(BINS, np.int64)
        self._reach = 0.0

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count an array's values."""
        if not values.size:
            return
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        distances = np.abs(values.ravel())
        self._widen(max(-self.low, self.high))
        if self._reach:
            places = (distances * (BINS / self._reach)).astype(np.int32)  # three times as quick as np.histogram
            self._counts += np.bincount(np.minimum(places, BINS - 1), minlength=BINS)

    def range(self, method: CalibrationMethod, percentile: float = 99.99) -> Range:
        """The part to keep; `percentile` of the distances from nought, where that is the method."""
        limit = max(-self.low, self.high)
        if limit and method is CalibrationMethod.PERCENTILE:
            limit = min(limit, self._percentile(percentile))
        elif limit and method is CalibrationMethod.ENTROPY:
            limit = min(limit, _entropy_bins(self._counts) * self._reach / BINS)
        return Range(max(self.low, -limit), min(self.high, limit))

    def _widen(self, reach: float) -> None:
        if not self._reach:
            self._reach = reach
        while self._reach < reach:
            merged = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.concatenate([merged, np.zeros(BINS // 2, np.int64)])
            self._reach *= 2.0

    def _percentile(self, percentile: float) -> float:
        seen = np.cumsum(self._counts)
        place = int(np.searchsorted(seen, seen[-1] * percentile / 100.0))
        return (min(place, BINS - 1) + 1) * self._reach / BINS


def _entropy_bins(counts: npt.NDArray[np.int64]) -> int:
    """How many bins to keep so that what 128 levels make of them tells the least wrong of the whole.

    The divergence of Kullback and Leibler, as in Migacz, "8-bit Inference with TensorRT" (GTC 2017). The first bin is
    as empty as its neighbour: noughts are exact at any scale, and would hide the rest.
    """
    seen = counts.astype(np.float64)
    seen[0] = seen[1]
    filled = np.flatnonzero(seen)
    if not filled.size or filled[-1] < _LEVELS:
        return int(filled[-1]) + 1 if filled.size else BINS
    tried = range(_LEVELS, int(filled[-1]) + 1 + _STEP, _STEP)
    return min(min(tried, key=lambda bins: _divergence(seen, min(bins, BINS))), BINS)


def _divergence(seen: npt.NDArray[np.float64], bins: int) -> float:
    """Of the kept bins, with all beyond put into the last one, from what remains of them on 128 levels."""
    kept = seen[:bins]
    whole = kept.copy()
    whole[-1] += seen[bins:].sum()
    starts = np.linspace(0, bins, _LEVELS + 1).astype(np.intp)[:-1]
    is_filled = kept > 0
    sums = np.add.reduceat(kept, starts)
    filled = np.add.reduceat(is_filled.astype(np.float64), starts)
    level = np.repeat(sums / np.maximum(filled, 1.0), np.diff(np.append(starts, bins)))
    rounded = np.where(is_filled, level, 0.0)
    if not rounded.sum() or not whole.sum():
        return float("inf")
    whole, rounded = whole / whole.sum(), rounded / rounded.sum()
    compared = whole > 0
    floor = 1e-9  # a bin that is filled only by what lies beyond has no level of its own
    return float((whole[compared] * np.log(whole[compared] / np.maximum(rounded[compared], floor))).sum())
