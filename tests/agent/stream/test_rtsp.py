from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer
from clips.rendered import render_clip
from fakes.frame_source import RecordingListener, camera_context
from servers.rtsp import RtspServer

from agent.clock import SystemClock
from agent.errors import SourceError, SourceFailure
from agent.stream.av_target import TlsOptions, rtsp_target
from agent.stream.camera import Camera
from agent.stream.due import DueGate
from agent.stream.frame import ClockSource, Frame
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource
from agent.stream.reconnect import Reconnect
from agent.stream.source import FrameNumbers

pytestmark = pytest.mark.rtsp
SOON = Limits(open_s=2.0, read_s=2.0, stall_s=1.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render_clip(path, seconds=2, fps=10, size=(320, 180))
    return path


@pytest.fixture
def camera(clip: Path) -> Iterator[RtspServer]:
    with RtspServer({"gate": clip}) as server:
        yield server


def source_of(
    url: str, limits: Limits = SOON, listener: RecordingListener | None = None, transport: str = "tcp"
) -> PyavSource:
    return PyavSource(camera_context(listener), rtsp_target(url, limits, transport=transport), limits)


def take(source: PyavSource, count: int) -> list[Frame]:
    frames = list(islice(source.frames(), count))
    source.close()
    return frames


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline_s = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_live_frames_come_when_they_are_captured(camera: RtspServer, transport: str) -> None:
    """Over TCP and UDP: evenly spaced times, no more than a moment old, and the clip's pictures."""
    listener = RecordingListener()
    frames: list[Frame] = []
    ages_s = []
    source = source_of(camera.url("gate"), listener=listener, transport=transport)
    for frame in islice(source.frames(), 15):
        ages_s.append(time.monotonic() - frame.info.captured_monotonic_s)
        frames.append(frame)
    source.close()

    times = np.array([frame.info.captured_monotonic_s for frame in frames])
    assert np.median(np.diff(times)) == pytest.approx(0.1, abs=0.01)
    assert max(ages_s[5:]) < 0.5
    assert [(opened.width_px, opened.height_px, opened.codec) for _, opened in listener.of("opened")] == [
        (320, 180, "h264")
    ]
    assert frames[-1].picture.full().mean() == pytest.approx(128, abs=25)


def test_the_cameras_own_clock_dates_frames(camera: RtspServer) -> None:
    """When the sender's first RTCP report is there, frames are dated by it: here it is this machine's clock.

    A PyAV that does not hand reports on (before 18) leaves stream time anchored to ours.
    """
    best = ClockSource.RTCP if hasattr(InputContainer, "start_time_realtime") else ClockSource.PTS
    listener = RecordingListener()
    source = source_of(camera.url("gate"), Limits(), listener)
    began_s = time.monotonic()
    ages_s = []
    for frame in source.frames():
        if frame.info.clock_source is best:
            ages_s.append((datetime.now(timezone.utc) - frame.info.captured_at).total_seconds())
        if len(ages_s) == 5 or time.monotonic() - began_s > 15:
            break
    source.close()

    assert len(ages_s) == 5
    assert all(0.0 <= age_s < 0.5 for age_s in ages_s)
    assert all(abs(offset_s) < 0.5 for _, offset_s in listener.of("clock_offset"))


def test_a_frozen_camera_is_a_stall_and_close_does_not_wait(camera: RtspServer) -> None:
    """Connected but without pictures for the stall time-out: told as stalled, soon after."""
    frames = source_of(camera.url("gate")).frames()
    next(frames)
    camera.freeze()
    try:
        with pytest.raises(SourceError) as caught:
            list(frames)
    finally:
        camera.thaw()

    assert caught.value.failure is SourceFailure.STALLED


def test_stop_is_prompt_while_the_camera_is_frozen(camera: RtspServer) -> None:
    """A consumer that waits for a frozen camera is free within a second of `close()`."""
    source = source_of(camera.url("gate"), Limits(open_s=2, read_s=2.5, stall_s=30))
    seen = threading.Event()

    def consume() -> None:
        for _ in source.frames():
            seen.set()

    consumer = threading.Thread(target=consume, name="consumer")
    consumer.start()
    assert seen.wait(10)
    camera.freeze()
    time.sleep(0.4)
    began_s = time.monotonic()
    source.close()
    consumer.join(5)
    took_s = time.monotonic() - began_s
    camera.thaw()

    assert took_s < 1.0


def test_pictures_that_are_reordered_come_in_order(tmp_path: Path) -> None:
    """A camera that encodes with B-frames loses no order to decoding without delay."""
    path = tmp_path / "b.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20, options={"bf": "3", "g": "20", "b-adapt": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), 6 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 20)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with RtspServer({"gate": path}) as server:
        frames = take(source_of(server.url("gate"), Limits()), 20)

    steps = np.diff([float(frame.picture.scaled(32, 18).mean()) for frame in frames])
    assert np.median(steps) == pytest.approx(6, abs=2)
    assert sum(step < -1 for step in steps) <= 1  # the loop's seam


def test_hevc_plays_too(tmp_path: Path) -> None:
    """An H.265 camera delivers like any other."""
    render_clip(tmp_path / "clip.mp4", seconds=2, fps=10, size=(320, 180), codec="hevc")
    listener = RecordingListener()
    with RtspServer({"gate": tmp_path / "clip.mp4"}, codec="h265") as server:
        frames = take(source_of(server.url("gate"), Limits(), listener), 5)

    assert [frame.info.sequence for frame in frames] == [1, 2, 3, 4, 5]
    assert [opened.codec for _, opened in listener.of("opened")] == ["hevc"]


def test_a_camera_that_ends_the_stream_is_told(clip: Path) -> None:
    """A stream that ends is an end told with its reason, not a return."""
    with RtspServer({"gate": clip}, once=True) as server, pytest.raises(SourceError) as caught:
        list(source_of(server.url("gate"), Limits(2, 2, 2)).frames())

    assert caught.value.failure in {SourceFailure.ENDED, SourceFailure.STALLED}


def test_stream_time_that_jumps_back_does_not_move_ours(clip: Path) -> None:
    """A camera whose stream time starts again every two seconds gives frames whose times rise and are fresh."""
    with RtspServer({"gate": clip}, jump=True) as server:
        source = source_of(server.url("gate"), Limits())
        ages_s, times = [], []
        for frame in islice(source.frames(), 50):
            ages_s.append(time.monotonic() - frame.info.captured_monotonic_s)
            times.append(frame.info.captured_monotonic_s)
        source.close()

    assert times == sorted(times)
    assert max(ages_s[5:]) < 0.6


def test_sequence_rises_over_a_camera_that_is_killed_and_comes_back(camera: RtspServer) -> None:
    """The camera loses its power and is back: lost, retried, recovered, with one rising sequence."""
    listener = RecordingListener()
    context = camera_context(listener, FrameNumbers())
    sequences: list[int] = []
    runner = Camera(
        "gate",
        lambda: PyavSource(context, rtsp_target(camera.url("gate"), SOON), SOON),
        lambda frame: sequences.append(frame.info.sequence),
        gate=DueGate(None),
        clock=SystemClock(),
        happened=listener,
        reconnect=Reconnect(0.2, 0.4, random.Random(1)),
    )
    thread = threading.Thread(target=runner.run, name="camera gate")
    thread.start()
    try:
        assert wait_for(lambda: len(sequences) >= 3)
        camera.kill()
        assert wait_for(lambda: len(listener.of("lost")) >= 2)
        had = len(sequences)
        camera.start()
        assert wait_for(lambda: len(sequences) >= had + 3)
    finally:
        runner.stop()
        thread.join(5)

    assert not thread.is_alive()
    assert sequences == list(range(1, len(sequences) + 1))
    assert {failure for _, failure, _, _ in listener.of("lost")} <= {
        SourceFailure.ENDED,
        SourceFailure.REFUSED,
        SourceFailure.STALLED,
        SourceFailure.TIMEOUT,
    }
    assert len(listener.of("opened")) == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine's loopback, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command.split(), *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def test_tls_is_verified(clip: Path, certificate: tuple[Path, Path]) -> None:
    """A camera whose certificate is trusted plays; else it is refused with the reason, unless told not to look."""
    with RtspServer({"gate": clip}, tls=certificate) as server:
        url = server.url("gate")

        def play(tls: TlsOptions) -> int:
            return len(take(PyavSource(camera_context(), rtsp_target(url, SOON, tls=tls), SOON), 2))

        assert play(TlsOptions(ca_file=str(certificate[0]))) == 2
        assert play(TlsOptions(verifies=False)) == 2
        with pytest.raises(SourceError, match="not trusted") as caught:
            play(TlsOptions())

    assert caught.value.failure is SourceFailure.TLS


LEAVES_WHILE_BLOCKED = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from fakes.frame_source import camera_context
from agent.stream.av_target import rtsp_target
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource
limits = Limits(60, 60, 60)
source = PyavSource(camera_context(), rtsp_target({url!r}, limits), limits)
next(iter(source.frames()))
source.close()
print("left")
"""


def test_a_process_ends_while_a_reader_is_still_blocked(camera: RtspServer, pytestconfig: pytest.Config) -> None:
    """A reader that waits for a frozen camera does not keep the process, nor make it crash on its way out."""
    root = pytestconfig.rootpath
    code = LEAVES_WHILE_BLOCKED.format(root=str(root), tests=str(root / "tests"), url=camera.url("gate"))
    code = code.replace("source.close()", "import os, signal; os.kill(SERVER, signal.SIGSTOP); source.close()")
    process = camera._process
    assert process is not None
    code = code.replace("SERVER", str(process.pid))
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False)
    finally:
        camera.thaw()

    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "left", "")
