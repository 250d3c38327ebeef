"""One opened container, from its first packet to its end: takes packets, decodes, stamps, and watches for a stall."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from av.video.frame import VideoFrame

from agent.clock import Clock
from agent.errors import SourceError, SourceFailure
from agent.stream.av_decoding import VideoDecoder
from agent.stream.av_input import ArrivedPacket, OpenedVideo
from agent.stream.av_timing import Timing
from agent.stream.stamp import Stamp
from agent.stream.supply import Ended, Supply

TURN_S = 0.5
MISSING_PART = 0.01
MISSING_FRAMES = 2

AvSupply = Supply[OpenedVideo | ArrivedPacket]
Fail = Callable[[SourceFailure, str], SourceError]


class AvPass:
    """Decodes one container; used by one thread, once.

    Args:
        supply: of its packets.
        opened: what is in it.
        timing: of its frames.
        clock, stall_s: a network source without a picture for so long is given up.
        beat: called at least every second while packets are waited for.
        fail: makes the error to raise.

    Attributes:
        decode_s: seconds the decoder spent on the last packet.
    """

    def __init__(
        self,
        supply: AvSupply,
        opened: OpenedVideo,
        timing: Timing,
        *,
        clock: Clock,
        stall_s: float | None,
        beat: Callable[[], None],
        fail: Fail,
    ) -> None:
        self._supply = supply
        self._opened = opened
        self._timing = timing
        self._clock = clock
        self._stall_s = stall_s
        self._beat = beat
        self._fail = fail
        self._decoder = VideoDecoder(opened.codec_context)
        self._packets = 0
        self._broke: str | None = None
        self._corrupt_at_frame = 0
        self._frame_at_s = clock.monotonic_s()
        self.decode_s = 0.0

    @property
    def corrupt(self) -> int:
        """Damaged packets and frames so far."""
        return self._decoder.corrupt

    def frames(self) -> Iterator[tuple[VideoFrame, Stamp]]:
        """Yield decoded frames with their times; of a clip to its end, also one that breaks off.

        Raises:
            SourceError: a live stream ended or stalled, or there is nothing that can be decoded.
            Closed: the supply was closed.
        """
        try:
            while True:
                yield from self._decoded(self._take())
        except Ended:
            pass
        except SourceError as error:
            if self._timing.is_live or not self._decoder.decoded:
                raise
            self._broke = error.detail
        if self._timing.is_live:
            raise self._fail(SourceFailure.ENDED, "the camera ended the stream")
        if not self._decoder.decoded:
            raise self._fail(SourceFailure.CODEC, "no picture in it can be decoded")

    def missing(self) -> str | None:
        """After the end of a clip: what it lacks, in words; None if it is whole."""
        if self._broke is not None:
            return f"breaks off after {self._decoder.decoded} frames ({self._broke})"
        expected = self._opened.frame_count
        if expected - self._packets > max(MISSING_FRAMES, MISSING_PART * expected):
            return f"is cut short: {self._decoder.decoded} of {expected} frames are there"
        return None

    def _take(self) -> ArrivedPacket:
        while True:
            item = self._supply.take(TURN_S)
            if isinstance(item, ArrivedPacket):
                return item
            self._beat()
            self._watch()

    def _decoded(self, arrived: ArrivedPacket) -> Iterator[tuple[VideoFrame, Stamp]]:
        self._packets += bool(arrived.packet.size)
        self._timing.note(arrived)
        began_s = self._clock.monotonic_s()
        frames = self._decoder.decode(arrived.packet)
        self.decode_s = self._clock.monotonic_s() - began_s
        if not frames:
            self._watch()
        for frame in frames:
            yield frame, self._timing.stamp(frame.pts)
            self._frame_at_s = self._clock.monotonic_s()
            self._corrupt_at_frame = self._decoder.corrupt

    def _watch(self) -> None:
        """Raise when there has been no picture for too long."""
        if self._stall_s is None or self._clock.monotonic_s() - self._frame_at_s < self._stall_s:
            return
        if self._decoder.corrupt > self._corrupt_at_frame:
            raise self._fail(SourceFailure.CODEC, f"packets come, but none could be decoded for {self._stall_s:g} s")
        raise self._fail(SourceFailure.STALLED, f"connected, but no picture for {self._stall_s:g} s")
