"""When a clip's frame is shown: an anchor plus media time, whether played at its own pace or as fast as it goes."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.stream.frame import ClockSource
from agent.stream.stamp import Stamp

BEHIND_S = 0.5
# A frame this much after the one before is a damaged time: nobody waits hours for the next picture of a clip.
DAMAGED_GAP_S = 3600.0


class MediaClock:
    """Media time that only rises, also over the seam of a loop; pure arithmetic, used by one thread.

    Args:
        anchor_s: our monotonic clock at media time zero.
        anchor_at: our wall clock at that moment, UTC.
    """

    def __init__(self, anchor_s: float, anchor_at: datetime) -> None:
        self._anchor_s = anchor_s
        self._anchor_at = anchor_at
        self._media_s = 0.0
        self._pass_began_s = 0.0
        self._first_pts_s: float | None = None
        self._is_first = True

    def begin_pass(self) -> None:
        """The clip starts, for the first time or again."""
        self._first_pts_s = None
        self._pass_began_s = self._media_s

    def advance(self, pts_s: float | None, interval_s: float) -> Stamp:
        """Tell when a frame is shown.

        Args:
            pts_s: its time in the clip; None if it has none.
            interval_s: time from frame to frame, for the seam and where `pts_s` is missing, damaged or does not rise.
        """
        follows_s = self._media_s + (0.0 if self._is_first else interval_s)
        if self._first_pts_s is None:
            self._pass_began_s = follows_s
            self._first_pts_s = 0.0 if pts_s is None else pts_s
        at_s = follows_s if pts_s is None else self._pass_began_s + pts_s - self._first_pts_s
        if pts_s is not None and at_s - self._media_s > DAMAGED_GAP_S:
            self._first_pts_s += at_s - follows_s
            at_s = follows_s
        self._media_s = at_s if self._is_first or at_s > self._media_s else follows_s
        self._is_first = False
        return self._stamp()

    def keep_up(self, now_s: float) -> Stamp:
        """The last frame's times again, moved to now if they lie far behind it.

        A clip played at its own pace that cannot be kept up with is played slower, so that its frames do not age.
        """
        behind_s = now_s - (self._anchor_s + self._media_s)
        if behind_s > BEHIND_S:
            self._anchor_s += behind_s
            self._anchor_at += timedelta(seconds=behind_s)
        return self._stamp()

    def _stamp(self) -> Stamp:
        shown_at = self._anchor_at + timedelta(seconds=self._media_s)
        return Stamp(shown_at, self._anchor_s + self._media_s, ClockSource.PTS)
