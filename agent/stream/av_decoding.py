"""From packets to decoded frames: damaged ones are counted, the rest go on."""

from __future__ import annotations

import os

import av.error
from av.codec.context import ThreadType
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

LARGE_PX = 1920 * 1200
LARGE_THREADS = 4
# FFmpeg's AV_CODEC_FLAG_LOW_DELAY: hand a frame out as soon as it is decoded.
LOW_DELAY = 1 << 19


def tune_for_latency(context: VideoCodecContext) -> None:
    """Threads that add no frame of delay: one for each camera, a few within the picture for large ones.

    Frame threads would hold back as many frames as there are threads, and more threads than one cost a twentieth
    more processor time.
    """
    is_large = context.width * context.height > LARGE_PX
    context.thread_type = ThreadType.SLICE
    context.thread_count = min(LARGE_THREADS, os.cpu_count() or 1) if is_large else 1
    context.flags |= LOW_DELAY


def tune_for_throughput(context: VideoCodecContext) -> None:
    """For a clip played as fast as it goes, which does not mind delay: frame threads, where one could hold things up.

    Up to 1080p one thread decodes faster than a processor detects, and costs a tenth less processor time than several.
    """
    is_large = context.width * context.height > LARGE_PX
    context.thread_type = ThreadType.AUTO if is_large else ThreadType.NONE
    context.thread_count = 0 if is_large else 1


class VideoDecoder:
    """One decoder and its count of damage; used by one thread.

    Attributes:
        corrupt: packets that could not be decoded and frames with damage in them, so far.
        decoded: frames given out so far.
    """

    def __init__(self, context: VideoCodecContext) -> None:
        self._context = context
        self.corrupt = 0
        self.decoded = 0

    def decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        """The frames a packet completes, mostly one; none if it cannot be decoded."""
        try:
            frames = self._context.decode(packet if packet.size else None)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.corrupt += 1
            return []
        self.corrupt += sum(frame.is_corrupt for frame in frames) + (packet.is_corrupt and not frames)
        self.decoded += len(frames)
        return frames
