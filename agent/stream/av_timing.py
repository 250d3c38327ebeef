"""The times of decoded frames: those of a live stream as it comes, those of a clip as it is played."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from agent.clock import Clock
from agent.settings.models import Pace, Playback
from agent.stream.av_input import ArrivedPacket, OpenedVideo
from agent.stream.media_clock import MediaClock
from agent.stream.sender_clock import SenderClock
from agent.stream.stamp import Stamp
from agent.stream.stream_clock import StreamClock

TURN_S = 0.5
DEFAULT_FPS = 25.0


@dataclass(frozen=True)
class Playing:
    """How a clip is played: at which pace, and what comes after its end."""

    pace: Pace = Pace.REALTIME
    playback: Playback = Playback.ONCE


class Timing(Protocol):
    """Stamps the frames of one source, in order; used by its consumer's thread."""

    @property
    def is_live(self) -> bool:
        """Whether frames come when they come."""

    def begin_pass(self, opened: OpenedVideo) -> None:
        """A container has been opened, the first or, looping, another."""

    def note(self, arrived: ArrivedPacket) -> None:
        """A packet goes to the decoder."""

    def stamp(self, pts: int | None) -> Stamp:
        """The times of a decoded frame, in ticks of its stream; waits for its moment where that is to be kept."""


class LiveTiming:
    """Times of a live stream: a frame has those of the packet that completed it."""

    def __init__(self, clock: Clock, opened: OpenedVideo) -> None:
        self._clock = clock
        self._tick_s = opened.seconds_per_tick
        self._stream_clock = StreamClock()
        self._sender = SenderClock(1.0 / self._tick_s)
        self._arrival_s = 0.0

    @property
    def is_live(self) -> bool:
        """It is."""
        return True

    def begin_pass(self, opened: OpenedVideo) -> None:
        """A live stream has one pass."""

    def note(self, arrived: ArrivedPacket) -> None:
        """Keep its arrival and what it says of the camera's clock."""
        self._arrival_s = arrived.arrival_s
        if arrived.zero_at_s is not None:
            self._sender.begins_at(arrived.zero_at_s)
        if arrived.report is not None and arrived.packet.pts is not None:
            self._sender.report(arrived.report, arrived.packet.pts * self._tick_s)

    def stamp(self, pts: int | None) -> Stamp:
        """Told from the camera's clock, stream time and arrival, as far as they are known."""
        stream_s = None if pts is None else pts * self._tick_s
        waited_s = self._clock.monotonic_s() - self._arrival_s
        arrival_at = self._clock.now() - timedelta(seconds=waited_s)
        return self._stream_clock.stamp(stream_s, self._arrival_s, arrival_at, self._sender.at_s(stream_s))


class ClipTiming:
    """Times of a clip: media time on an anchor, kept up with by waiting, or not waited for."""

    def __init__(
        self, clock: Clock, pace: Pace, is_closed: threading.Event, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._pace = pace
        self._is_closed = is_closed
        self._beat = beat
        self._media: MediaClock | None = None
        self._tick_s = 0.0
        self._interval_s = 1.0 / DEFAULT_FPS

    @property
    def is_live(self) -> bool:
        """It is not."""
        return False

    def begin_pass(self, opened: OpenedVideo) -> None:
        """Times run on over the seam."""
        self._tick_s = opened.seconds_per_tick
        self._interval_s = 1.0 / (opened.fps or DEFAULT_FPS)
        if self._media is None:
            self._media = MediaClock(self._clock.monotonic_s(), self._clock.now())
        self._media.begin_pass()

    def note(self, arrived: ArrivedPacket) -> None:
        """When a clip's packets are read means nothing."""

    def stamp(self, pts: int | None) -> Stamp:
        """Media time; at the clip's own pace, returns when it has come, or the source is closed."""
        assert self._media is not None, "begin_pass comes first"  # noqa: S101 - for the type checker
        stamp = self._media.advance(None if pts is None else pts * self._tick_s, self._interval_s)
        if self._pace is Pace.REALTIME:
            stamp = self._media.keep_up(self._clock.monotonic_s())
            self._wait_until(stamp.captured_monotonic_s)
        return stamp

    def _wait_until(self, at_s: float) -> None:
        while (left_s := at_s - self._clock.monotonic_s()) > 0 and not self._is_closed.is_set():
            self._is_closed.wait(min(left_s, TURN_S))
            self._beat()
