"""When a live frame was captured, told from the camera's clock, the stream's clock and ours.

Arrival times jitter, stream times do not. The stream's clock is therefore laid against ours along the lower
envelope of (arrival - stream time): the frame that was held up least says where stream time stands.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from agent.stream.frame import ClockSource
from agent.stream.stamp import Stamp

WINDOW_S = 30.0
LATE_S = 1.0
SETTLED_S = 2.0
CATCHING_UP_S = 0.02
BELIEVED_WITHIN_S = 600.0


class StreamClock:
    """Maps one connection's stream times to ours; pure arithmetic, used by one thread.

    Re-anchored when the stream's time jumps back, when frames stay late by the same amount (its clock stood
    still), and slowly, by forgetting envelopes older than a window, when its clock drifts against ours.

    Args:
        window_s: for how long the least-delayed frame rules; between one and two windows.
        late_s: frames later than this look like a jump of the stream's clock.
        believed_within_s: a camera's wall clock further from ours than this is not believed: one that was never
            set, or that sends local time as UTC, is off by hours.
    """

    def __init__(
        self,
        *,
        window_s: float = WINDOW_S,
        late_s: float = LATE_S,
        believed_within_s: float = BELIEVED_WITHIN_S,
    ) -> None:
        self._late_s = late_s
        self._believed_within_s = believed_within_s
        self._envelope = _LowerEnvelope(window_s)
        self._last_stream_s = float("-inf")
        self._late = _Lateness()

    def stamp(
        self, stream_s: float | None, arrival_s: float, arrival_at: datetime, sender_at_s: float | None = None
    ) -> Stamp:
        """Tell when a frame was captured.

        Args:
            stream_s: its time in the stream, seconds from anywhere; None if it has none.
            arrival_s: our monotonic clock when it came.
            arrival_at: our wall clock when it came, UTC.
            sender_at_s: the camera's own wall clock, seconds since 1970; None if not known.
        """
        if stream_s is None:
            return Stamp(arrival_at, arrival_s, ClockSource.HOST)
        monotonic_s = stream_s + self._anchor(stream_s, arrival_s)
        host_at = arrival_at - timedelta(seconds=arrival_s - monotonic_s)
        if sender_at_s is None:
            return Stamp(host_at, monotonic_s, ClockSource.PTS)
        offset_s = sender_at_s - host_at.timestamp()
        if abs(offset_s) > self._believed_within_s:
            return Stamp(host_at, monotonic_s, ClockSource.PTS, offset_s)
        sender_at = datetime.fromtimestamp(sender_at_s, timezone.utc)
        return Stamp(sender_at, monotonic_s, ClockSource.RTCP, offset_s)

    def _anchor(self, stream_s: float, arrival_s: float) -> float:
        """What to add to stream time to have our monotonic time."""
        delay_s = arrival_s - stream_s
        if stream_s < self._last_stream_s:
            self._envelope.restart(arrival_s, delay_s)
        self._last_stream_s = stream_s
        lowest_s = self._envelope.add(arrival_s, delay_s)
        if delay_s - lowest_s < self._late_s:
            self._late = _Lateness()
        elif self._late.is_settled(arrival_s, delay_s):
            self._envelope.restart(arrival_s, self._late.least_s)
            self._late = _Lateness()
            return min(delay_s, self._envelope.lowest_s)
        return lowest_s


class _LowerEnvelope:
    """The least delay of the last one to two windows, in two buckets."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._previous_s = self._current_s = float("inf")
        self._began_s = float("-inf")

    @property
    def lowest_s(self) -> float:
        return min(self._previous_s, self._current_s)

    def restart(self, at_s: float, delay_s: float) -> None:
        self._began_s, self._previous_s, self._current_s = at_s, float("inf"), delay_s

    def add(self, at_s: float, delay_s: float) -> float:
        if at_s - self._began_s > self._window_s:
            is_adjacent = at_s - self._began_s <= 2 * self._window_s
            self._previous_s = self._current_s if is_adjacent else float("inf")
            self._began_s, self._current_s = at_s, delay_s
        self._current_s = min(self._current_s, delay_s)
        return self.lowest_s


class _Lateness:
    """Tells frames that are late and catching up (a network that stood) from a stream clock that stood."""

    def __init__(self) -> None:
        self.least_s = float("inf")
        self._since_s = 0.0

    def is_settled(self, at_s: float, delay_s: float) -> bool:
        if delay_s < self.least_s - CATCHING_UP_S:
            self.least_s, self._since_s = delay_s, at_s
        return at_s - self._since_s >= SETTLED_S
