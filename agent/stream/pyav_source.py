"""Cameras over RTSP and HTTP, and clips, through FFmpeg (PyAV)."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

from av.video.frame import VideoFrame

from agent.errors import SourceError, SourceFailure
from agent.settings.models import Pace, Playback
from agent.stream.av_decoding import tune_for_latency, tune_for_throughput
from agent.stream.av_input import ArrivedPacket, OpenedVideo, read_video
from agent.stream.av_pass import TURN_S, AvPass, AvSupply
from agent.stream.av_picture import AvPicture, Scalers
from agent.stream.av_target import AvTarget, Reach
from agent.stream.av_timing import ClipTiming, LiveTiming, Playing, Timing
from agent.stream.frame import Frame
from agent.stream.limits import Limits
from agent.stream.source import CameraContext, OpenedStream
from agent.stream.stamp import Stamp, frame_info
from agent.stream.supply import Closed, DetachedSupply, StraightSupply

PACKETS_AHEAD = 32
OPEN_GRACE_S = 4.0  # for finding out why it does not open


class PyavSource:
    """One connection to a network camera, or one playing of a clip; a `FrameSource`.

    What comes over the network is opened and read by a thread beside the consumer's, since FFmpeg cannot be
    interrupted from outside; a local file is read by the consumer itself. What has a length is a clip and follows
    `playing`, also over HTTP; the rest is live.

    Args:
        context: the camera's.
        target: what to open.
        limits: time-outs of what comes over the network.
        playing: how clips are played.
    """

    def __init__(
        self,
        context: CameraContext,
        target: AvTarget,
        limits: Limits,
        playing: Playing | None = None,
    ) -> None:
        self._context = context
        self._camera_id = context.camera_id
        self._clock = context.clock
        self._target = target
        self._limits = limits
        self._playing = playing or Playing()
        self._scalers = Scalers()
        self._is_closed = threading.Event()
        self._supply: AvSupply | None = None
        self._timing: Timing | None = None
        self._size_px = (0, 0)
        self._is_told_short = False

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the source fails, ends or is closed.

        Raises:
            SourceError: with the reason.
        """
        while not self._is_closed.is_set():
            supply = self._supply = self._make_supply()
            if self._is_closed.is_set():
                supply.close()
            try:
                yield from self._one_pass(supply)
            except Closed:
                return
            finally:
                supply.close()
            if self._playing.playback is not Playback.LOOP:
                return

    def close(self) -> None:
        """End `frames()` soon and let go of the connection."""
        self._is_closed.set()
        if self._supply is not None:
            self._supply.close()

    def _one_pass(self, supply: AvSupply) -> Iterator[Frame]:
        opened = self._await_opened(supply)
        timing = self._timing = self._timing_of(opened)
        timing.begin_pass(opened)
        one_pass = AvPass(
            supply,
            opened,
            timing,
            clock=self._clock,
            stall_s=self._limits.stall_s if self._target.is_network else None,
            beat=self._context.beat,
            fail=self._error,
        )
        told_corrupt = 0
        for picture, stamp in one_pass.frames():
            if self._is_closed.is_set():
                raise Closed
            told_corrupt = self._tell_corrupt(one_pass.corrupt, told_corrupt)
            self._context.listener.decoded(self._camera_id, one_pass.decode_s)
            yield self._frame(picture, stamp, opened)
        self._tell_corrupt(one_pass.corrupt, told_corrupt)
        if (missing := one_pass.missing()) and not self._is_told_short:
            self._is_told_short = True
            self._context.listener.ended_early(self._camera_id, f"{self._target.shown}: {missing}")

    def _frame(self, picture: VideoFrame, stamp: Stamp, opened: OpenedVideo) -> Frame:
        size_px = (picture.width, picture.height)
        if size_px != self._size_px:
            self._size_px = size_px
            self._context.listener.opened(
                self._camera_id, OpenedStream(*size_px, opened.fps, opened.codec_context.name)
            )
        if stamp.clock_offset_s is not None:
            self._context.listener.clock_offset(self._camera_id, stamp.clock_offset_s)
        info = frame_info(self._camera_id, self._context.numbers, stamp, size_px)
        return Frame(info, AvPicture(picture, self._scalers))

    def _make_supply(self) -> AvSupply:
        def items() -> Generator[OpenedVideo | ArrivedPacket]:
            return read_video(self._camera_id, self._target, self._clock.monotonic_s)

        if not self._target.is_network:
            return StraightSupply(items())
        supply = DetachedSupply(f"reader {self._camera_id}", items, capacity=PACKETS_AHEAD)
        supply.start()
        return supply

    def _await_opened(self, supply: AvSupply) -> OpenedVideo:
        deadline_s = self._clock.monotonic_s() + self._limits.open_s + OPEN_GRACE_S
        while True:
            self._context.beat()
            item = supply.take(TURN_S)
            if isinstance(item, OpenedVideo):
                return item
            if self._clock.monotonic_s() > deadline_s:
                raise self._error(SourceFailure.TIMEOUT, f"not open after {self._limits.open_s:g} s")

    def _timing_of(self, opened: OpenedVideo) -> Timing:
        # Of RTSP the server may tell a length, but it sends at its own pace all the same.
        is_live = self._target.reach is Reach.RTSP or (self._target.is_network and opened.duration_s is None)
        if is_live or self._playing.pace is Pace.REALTIME:
            tune_for_latency(opened.codec_context)
        else:
            tune_for_throughput(opened.codec_context)
        if is_live:
            return LiveTiming(self._clock, opened)
        return self._timing or ClipTiming(self._clock, self._playing.pace, self._is_closed, self._context.beat)

    def _tell_corrupt(self, corrupt: int, told: int) -> int:
        if corrupt > told:
            self._context.listener.corrupt(self._camera_id, corrupt - told)
        return corrupt

    def _error(self, failure: SourceFailure, sentence: str) -> SourceError:
        return SourceError(self._camera_id, failure, f"{self._target.shown}: {sentence}")
