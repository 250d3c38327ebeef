"""The camera's own wall clock, from the RTCP sender reports of its stream.

A report pairs NTP time with RTP time (RFC 3550, section 6.4.1). FFmpeg counts presentation times from the first RTP
time it saw and tells the wall time of their zero as the container's `start_time_realtime`, from the first report
only. The reports that follow come as side data of packets, and keep the pairing true while the clocks drift.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

NTP_TO_UNIX_S = 2_208_988_800
RTP_TURN = 1 << 32
# FFmpeg's AVRTCPSenderReport, native alignment: SSRC, NTP time, RTP time, packets, bytes.
_REPORT = struct.Struct("@IQIII4x")


@dataclass(frozen=True)
class SenderReport:
    """One RTCP sender report.

    Attributes:
        at_s: the camera's wall clock, seconds since 1970.
        rtp_time: the same moment in RTP ticks, modulo 2**32.
    """

    at_s: float
    rtp_time: int

    @classmethod
    def from_bytes(cls, data: bytes) -> SenderReport | None:
        """Read FFmpeg's side data; None if it is laid out otherwise than we know, or holds no time."""
        if len(data) != _REPORT.size:
            return None
        _, ntp, rtp_time, _, _ = _REPORT.unpack(data)
        return cls(ntp / 2**32 - NTP_TO_UNIX_S, rtp_time) if ntp else None


class SenderClock:
    """Maps presentation times to the camera's wall clock; used by one thread.

    Args:
        ticks_per_s: of RTP time, 90000 for video.
    """

    def __init__(self, ticks_per_s: float) -> None:
        self._ticks_per_s = ticks_per_s
        self._zero_at_s: float | None = None
        self._base_rtp: float | None = None

    def begins_at(self, zero_at_s: float) -> None:
        """Take the wall time of presentation time zero; only the first one counts."""
        if self._zero_at_s is None:
            self._zero_at_s = zero_at_s

    def report(self, report: SenderReport, near_s: float) -> None:
        """Take a sender report; `near_s` is the presentation time of a packet that came with it."""
        if self._zero_at_s is None:
            return
        if self._base_rtp is None:
            self._base_rtp = report.rtp_time - (report.at_s - self._zero_at_s) * self._ticks_per_s
        turn_s = RTP_TURN / self._ticks_per_s
        stream_s = (report.rtp_time - self._base_rtp) / self._ticks_per_s
        stream_s += round((near_s - stream_s) / turn_s) * turn_s
        self._zero_at_s = report.at_s - stream_s

    def at_s(self, stream_s: float | None) -> float | None:
        """The camera's wall clock at a presentation time, seconds since 1970; None while it is not known."""
        if self._zero_at_s is None or stream_s is None:
            return None
        return self._zero_at_s + stream_s
