"""Whatever a camera answers, at whichever step: frames, or one of our reasons, soon, and never its password."""

from __future__ import annotations

import logging
import re
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from math import isfinite
from pathlib import Path

import pytest
from clips.rendered import render_clip
from fakes.frame_source import camera_context
from fuzz.effort import effort
from fuzz.hostile_server import HostileServer
from fuzz.mutation import spoilt
from fuzz.recorded_camera import record
from fuzz.silence import SECRET, assert_silent
from hypothesis import given
from hypothesis import strategies as st
from servers.rtsp import RtspServer

from agent.errors import SourceError, SourceFailure
from agent.settings.models import Pace
from agent.stream.av_target import file_target, rtsp_target
from agent.stream.av_timing import Playing
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource
from agent.stream.sender_clock import SenderClock, SenderReport

SOON = Limits(open_s=0.5, read_s=0.3, stall_s=0.3)
# Opening, finding out why it did not, and stalling; on a machine that has other things to do as well.
END_S = 10.0
MOST_FRAMES = 30
TOKENS = (
    b"\r\n", b"\r\n\r\n",
    b"RTSP/1.0 200 OK\r\n", b"RTSP/1.0 401 Unauthorized\r\n", b"RTSP/1.0 302 Moved\r\nLocation: rtsp://[\r\n",
    b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n', b'WWW-Authenticate: Basic realm="r"\r\n',
    b"Content-Length: 999999999\r\n", b"Content-Length: -5\r\n",
    b"m=video 0 RTP/AVP 96\r\n", b"m=audio 0 RTP/AVP 0\r\n",
    b"a=rtpmap:96 H265/90000\r\n", b"a=rtpmap:96 H264/0\r\n", b"a=fmtp:96 packetization-mode=9\r\n", b"a=control:*\r\n",
    b"sprop-parameter-sets=AAAA,BBBB", b"c=IN IP4 999.0.0.1\r\n",
    b"Transport: RTP/AVP;unicast\r\n", b"interleaved=255-0",
    b"$\x00\xff\xff", b"$\x01\x00\x1c\x80\xc8\x00\x06", b"\x80\x60",
    b"\x7c\x85", b"\x67\x42", b"\x00\x00\x00\x01", b"A" * 5000,
)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render_clip(path, seconds=1, fps=10, size=(160, 90))
    return path


@pytest.fixture(scope="module")
def recorded(clip: Path) -> list[bytes]:
    """The answers of a real camera."""
    with RtspServer({"gate": clip}) as camera:
        return record(camera.port, lambda port: _look(port, 5))


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def _look(port: int, frames: int) -> None:
    """Watch so many frames."""
    target = rtsp_target(f"rtsp://127.0.0.1:{port}/gate", SOON, username="guard", password=SECRET)
    source = PyavSource(camera_context(), target, SOON)
    try:
        for frame in islice(source.frames(), frames):
            frame.picture.scaled(64, 36)
    finally:
        source.close()


@pytest.mark.rtsp
def test_the_seed_is_good(hostile: HostileServer, recorded: list[bytes]) -> None:
    """What is spoilt begins as a camera that shows frames."""
    hostile.answers = recorded
    _look(hostile.port, 1)
    assert len(recorded) >= 4


@pytest.mark.rtsp
def test_a_name_in_another_encoding(hostile: HostileServer, recorded: list[bytes]) -> None:
    """A camera that is called by a word in Latin-1, as many are, shows its frames."""
    named = [
        re.sub(rb"\r\ns=[^\r]*", lambda line: b"\r\ns=K" + b"\xfc" * (len(line[0]) - 5), each) for each in recorded
    ]
    assert named != recorded
    hostile.answers = named
    _look(hostile.port, 1)


@pytest.mark.rtsp
@effort(60)
@given(data=st.data())
def test_a_spoilt_camera(
    hostile: HostileServer, recorded: list[bytes], capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture, data: st.DataObject,
) -> None:  # fmt: skip
    """One answer of a real conversation is damaged, from the first word to the pictures."""
    caplog.set_level(logging.DEBUG)
    step = data.draw(st.integers(0, len(recorded) - 1))
    answer = data.draw(spoilt(recorded[step][:4000], TOKENS)) + recorded[step][4000:]
    hostile.answers = [*recorded[:step], answer, *recorded[step + 1 :]]
    began_s = time.monotonic()
    refusal = None
    try:
        _look(hostile.port, MOST_FRAMES)
    except SourceError as error:
        refusal = error

    assert refusal is None or refusal.failure in SourceFailure
    assert_silent(refusal)
    assert time.monotonic() - began_s < END_S
    assert_silent(*capfd.readouterr(), caplog.text)
    caplog.clear()


@effort(60)
@given(data=st.data())
def test_a_spoilt_clip(clip: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A damaged file gives frames or a reason."""
    path = tmp_path_factory.getbasetemp() / "spoilt.mp4"
    good = clip.read_bytes()
    begins = data.draw(st.sampled_from((0, good.index(b"moov"))))  # the index is small, and all depends on it
    path.write_bytes(good[:begins] + data.draw(spoilt(good[begins:], (b"moov", b"mdat", b"stts", b"stsz", b"avcC"))))
    source = PyavSource(camera_context(), file_target(str(path)), SOON, Playing(Pace.FAST))
    with suppress(SourceError):
        list(islice(source.frames(), MOST_FRAMES))
    source.close()


@effort(200)
@given(
    reports=st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.floats(0, 2**63 / 90_000)), max_size=4),
    other=st.binary(max_size=40),
    zero_at_s=st.floats(-(2.0**63) / 1e6, 2.0**63 / 1e6),
)
def test_any_sender_report(reports: list[tuple[bytes, float]], other: bytes, zero_at_s: float) -> None:
    """Side data of any content: no error, and a time that is a number or none at all."""
    clock = SenderClock(90_000.0)
    clock.begins_at(zero_at_s)
    SenderReport.from_bytes(other)
    for data, near_s in reports:
        if (report := SenderReport.from_bytes(data)) is not None:
            clock.report(report, near_s)
        at_s = clock.at_s(near_s)
        assert at_s is None or isfinite(at_s)


@effort(30)
@given(ntp=st.integers(0, 2**64 - 1), rtp=st.integers(0, 2**32 - 1))
def test_the_layout_of_a_report(ntp: int, rtp: int) -> None:
    """What is packed as FFmpeg packs it is read again."""
    report = SenderReport.from_bytes(struct.pack("@IQIII4x", 1, ntp, rtp, 2, 3))

    assert (report is None) == (ntp == 0)
    assert report is None or report.rtp_time == rtp
