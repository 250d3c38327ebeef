"""Takes times in turns, so that whatever else the machine does hits every contender alike."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from agent.evaluation.speed.contender import Contender
from agent.evaluation.speed.scenes import scene

COUNTS = (10, 50, 200, 1000)
WARM_UP_FRAMES = 30
SLICE_FRAMES = 30


def median_update_us(contenders: Sequence[Contender], count: int) -> list[float]:
    """Median processor microseconds of one update with so many objects, after a warm-up; one for each contender."""
    frames = scene(count)
    for contender in contenders:
        contender.begin(frames)
    spent_s: list[list[float]] = [[] for _ in contenders]
    for first in range(0, len(frames), SLICE_FRAMES):
        turn = range(first, min(first + SLICE_FRAMES, len(frames)))
        for contender, spent in zip(contenders, spent_s, strict=True):
            spent.extend(contender.spend_s(turn))
    return [1e6 * statistics.median(spent[WARM_UP_FRAMES:]) for spent in spent_s]
