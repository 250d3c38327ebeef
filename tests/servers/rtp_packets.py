"""Clips as RTP packets (RFC 3550, 6184 for H.264, 7798 for H.265), made by hand so that tests can spoil their times."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

TICKS_PER_S = 90_000
PAYLOAD_TYPE = 96
SSRC = 0x5173
MOST_BYTES = 1400
NTP_TO_UNIX_S = 2_208_988_800
FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


@dataclass(frozen=True)
class CodedClip:
    """A clip's coded pictures, each as its NAL units, in order.

    Attributes:
        codec: h264 or hevc.
        fps: pictures a second.
        pictures: parameter sets stand before every key picture.
    """

    codec: str
    fps: float
    pictures: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of_file(cls, path: Path) -> CodedClip:
        """Read an MP4 file."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            made = BitStreamFilterContext(FILTERS[stream.codec_context.name], stream)
            packets = [
                out for packet in container.demux(stream) for out in made.filter(packet if packet.size else None)
            ]
            pictures = tuple(tuple(_nal_units(bytes(packet))) for packet in packets)
            return cls(stream.codec_context.name, float(stream.average_rate or 0), pictures)


def rtp_packets(codec: str, picture: tuple[bytes, ...], first_number: int, time: int) -> Iterator[bytes]:
    """The packets of one picture; `time` in ticks, both counted beyond their fields' ends as one likes."""
    payloads = [payload for unit in picture for payload in _payloads(codec, unit)]
    for place, payload in enumerate(payloads):
        marker = 0x80 if place == len(payloads) - 1 else 0
        number = (first_number + place) & 0xFFFF
        yield struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, number, time & 0xFFFFFFFF, SSRC) + payload


def sender_report(at_s: float, time: int, packets: int) -> bytes:
    """That the camera's clock stood at `at_s` (seconds since 1970) at a moment of RTP time."""
    ntp = round((at_s + NTP_TO_UNIX_S) * 2**32)
    return struct.pack(
        "!BBHIQIII", 0x80, 200, 6, SSRC, ntp & (2**64 - 1), time & 0xFFFFFFFF, packets, packets * MOST_BYTES
    )


def _payloads(codec: str, unit: bytes) -> list[bytes]:
    if len(unit) <= MOST_BYTES:
        return [unit]
    if codec == "h264":
        indicator, kind, rest = bytes([unit[0] & 0xE0 | 28]), unit[0] & 0x1F, unit[1:]
    else:
        indicator, kind, rest = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit[0] >> 1 & 0x3F, unit[2:]
    parts = [rest[at : at + MOST_BYTES] for at in range(0, len(rest), MOST_BYTES)]
    last = len(parts) - 1
    return [
        indicator + bytes([kind | (0x80 if place == 0 else 0) | (0x40 if place == last else 0)]) + part
        for place, part in enumerate(parts)
    ]


def _nal_units(annex_b: bytes) -> list[bytes]:
    return [unit for unit in re.split(rb"\x00?\x00\x00\x01", annex_b) if unit]
