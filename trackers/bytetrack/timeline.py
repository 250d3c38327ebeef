"""The tracker's own time: it never runs backwards, and knows a break when it sees one."""

from __future__ import annotations

import math
from typing import NamedTuple

# A gap this many times the one before is no longer the rhythm of a slow camera.
BREAK_RATIO = 2.0


class Step(NamedTuple):
    """From one update to the next.

    Attributes:
        elapsed: units of time, 0 or more.
        is_break: too long a gap for anything to be carried over.
    """

    elapsed: float
    is_break: bool


class Timeline:
    """Turns the times given with updates into steps of a time that only rises.

    Time is in seconds, or in frames where a frame rate is set (then the times given are ignored). A time equal to
    or before the last one is a step of length 0, and time goes on from there. A gap longer than the patience
    and longer than twice the gap before it is a break; so a camera that always delivers slowly has none.

    Attributes:
        now: units of time since the first update.
        patience: units of time for which a lost track is kept.
    """

    def __init__(self, patience_s: float, frame_rate: float | None) -> None:
        self._frame_rate = frame_rate
        self._last_at_s: float | None = None
        self._last_gap = math.inf
        self.now = 0.0
        self.patience = patience_s if frame_rate is None else float(round(patience_s * frame_rate))

    @property
    def last_gap(self) -> float | None:
        """Units of time between the last two updates; None where there were fewer."""
        return None if math.isinf(self._last_gap) else self._last_gap

    @property
    def has_time(self) -> bool:
        """Whether the last update had a time."""
        return self._last_at_s is not None

    def resume(self, now: float, last_gap: float | None, last_at_s: float | None) -> None:
        """Go on where another one stopped: its `now` and `last_gap`, and when its last update was.

        Raises:
            ValueError: the time is not a finite number.
        """
        if last_at_s is not None and not math.isfinite(last_at_s):
            raise ValueError(f"at_s: expected finite seconds, got {last_at_s}")
        self.now = now
        self._last_gap = math.inf if last_gap is None else last_gap
        self._last_at_s = last_at_s

    def advance(self, at_s: float) -> Step:
        """Go on to the time of the next update.

        Raises:
            ValueError: the time is not a finite number.
        """
        if self._frame_rate is not None:
            self.now += 1.0
            return Step(1.0, is_break=False)
        if not math.isfinite(at_s):
            raise ValueError(f"at_s: expected finite seconds, got {at_s}")
        gap = 0.0 if self._last_at_s is None else max(0.0, at_s - self._last_at_s)
        is_break = gap > self.patience and gap > BREAK_RATIO * self._last_gap
        if self._last_at_s is not None:
            self._last_gap = gap
        self._last_at_s = at_s
        self.now += gap
        return Step(gap, is_break)
