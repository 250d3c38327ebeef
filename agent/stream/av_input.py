"""FFmpeg's demuxer as one generator: what was opened first, then its packets of video with their times of arrival."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from agent.errors import SourceError, SourceFailure
from agent.stream.av_failures import why_not_opened, why_not_read
from agent.stream.av_target import AvTarget
from agent.stream.sender_clock import SenderReport


@dataclass(frozen=True)
class OpenedVideo:
    """What a container turned out to hold.

    Attributes:
        codec_context: the decoder, not opened yet; the consumer's from now on.
        seconds_per_tick: of the packets' and frames' times.
        fps: as the stream says; None if it does not.
        duration_s: of a clip; None for what is live.
        frame_count: as a clip's index says; 0 if it does not.
    """

    codec_context: VideoCodecContext
    seconds_per_tick: float
    fps: float | None
    duration_s: float | None
    frame_count: int


@dataclass(frozen=True)
class ArrivedPacket:
    """One packet of video.

    Attributes:
        packet: for the decoder; an empty one flushes it.
        arrival_s: our monotonic clock when it had come.
        zero_at_s: the camera's wall clock at presentation time zero, seconds since 1970; None if not known.
        report: an RTCP sender report that came before it.
    """

    packet: Packet[VideoStream]
    arrival_s: float
    zero_at_s: float | None = None
    report: SenderReport | None = None


def read_video(
    camera_id: str, target: AvTarget, monotonic_s: Callable[[], float] = time.monotonic
) -> Generator[OpenedVideo | ArrivedPacket]:
    """Open a target and read its first stream of video; the container is closed with the generator.

    Raises:
        SourceError: it cannot be opened or read, with the reason.
    """
    container = _open(camera_id, target, monotonic_s)
    reason = None
    try:
        stream = _video_stream(camera_id, target, container)
        yield _opened(camera_id, target, container, stream)
        for packet in container.demux(stream):
            report = _report(packet) if target.is_network else None
            zero_at_us = getattr(container, "start_time_realtime", None) if target.is_network else None
            yield ArrivedPacket(packet, monotonic_s(), zero_at_us / 1e6 if zero_at_us else None, report)
    except av.error.FFmpegError as error:
        reason = why_not_read(error, target)
    finally:
        container.close()
    if reason is not None:
        raise SourceError(camera_id, reason[0], f"{target.shown}: {reason[1]}")


def _open(camera_id: str, target: AvTarget, monotonic_s: Callable[[], float]) -> InputContainer:
    began_s = monotonic_s()
    # Without a read time-out PyAV's interrupt callback does not take the interpreter's lock at every read: FFmpeg's
    # own socket time-out, an option, does that part.
    timeout = (target.open_timeout_s, None) if target.is_network else None
    try:
        # Titles come in any encoding; nobody reads them here, and PyAV would not open what it cannot decode.
        return av.open(target.url, options=target.options, timeout=timeout, metadata_errors="replace")
    except av.error.FFmpegError as error:
        failure, sentence = why_not_opened(error, target, monotonic_s() - began_s)
    # Outside the handler: FFmpeg's error quotes the address, and a chained one would be printed with ours.
    raise SourceError(camera_id, failure, f"{target.shown}: {sentence}")


def _video_stream(camera_id: str, target: AvTarget, container: InputContainer) -> VideoStream:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if streams:
        return streams[0]
    others = sorted({stream.type for stream in container.streams})
    found = f"only {' and '.join(others)}" if others else "no stream at all"
    raise SourceError(camera_id, SourceFailure.NO_VIDEO, f"{target.shown}: holds {found}, no video")


def _is_cover(stream: VideoStream) -> bool:
    """A still picture attached to music."""
    return "attached_pic" in str(stream.disposition)


def _opened(camera_id: str, target: AvTarget, container: InputContainer, stream: VideoStream) -> OpenedVideo:
    context = stream.codec_context
    if context is None:
        raise SourceError(camera_id, SourceFailure.CODEC, f"{target.shown}: there is no decoder for its video")
    rate = stream.average_rate or stream.base_rate
    return OpenedVideo(
        codec_context=context,
        seconds_per_tick=float(stream.time_base or 1 / 90_000),
        fps=float(rate) if rate else None,
        duration_s=container.duration / av.time_base if container.duration else None,
        frame_count=stream.frames,
    )


def _report(packet: Packet[VideoStream]) -> SenderReport | None:
    try:
        if not packet.has_sidedata("rtcp_sr"):
            return None
        return SenderReport.from_bytes(bytes(packet.get_sidedata("rtcp_sr")))
    except (AttributeError, ValueError):  # an older PyAV does not know this kind of side data
        return None
