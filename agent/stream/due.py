"""Which frames are worth detecting in, by the time they were captured."""

from __future__ import annotations

TOLERANCE = 0.25


class DueGate:
    """Lets through so many frames a second of capture time, evenly spread; used by one thread.

    The schedule moves on by whole periods, so the rate holds also where it does not divide the camera's, and a
    frame may come a quarter of a period early, so that jitter does not cost every other frame.

    Args:
        fps: how many a second; None lets every frame through.
    """

    def __init__(self, fps: float | None) -> None:
        self._period_s = 0.0 if fps is None else 1.0 / fps
        self._next_s = float("-inf")

    def is_due(self, captured_monotonic_s: float) -> bool:
        """Whether the frame captured at that moment is to be detected in; asked once a frame, in order."""
        if captured_monotonic_s < self._next_s - TOLERANCE * self._period_s:
            return False
        is_behind = captured_monotonic_s > self._next_s + self._period_s
        self._next_s = (captured_monotonic_s if is_behind else self._next_s) + self._period_s
        return True
