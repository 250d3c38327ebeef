from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import av
import pytest
from clips.rendered import render_clip
from servers.rtsp import RtspServer

pytestmark = pytest.mark.rtsp
TCP = {"rtsp_transport": "tcp"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    render_clip(path, seconds=1, fps=30, size=(160, 120))
    return path


def frame_times(url: str, count: int, transport: str = "tcp") -> list[float]:
    """Stream times of the first frames that have one, seconds; the very first may come without."""
    times: list[float] = []
    with av.open(url, options={"rtsp_transport": transport, "tls_verify": "0"}, timeout=5.0) as container:
        for frame in container.decode(video=0):
            times += [] if frame.time is None else [frame.time]
            if len(times) >= count:
                break
    return times


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_clip_loops_without_a_jump_in_time(clip: Path, transport: str) -> None:
    """Stream time rises evenly over the end of the clip, on both transports."""
    with RtspServer({"gate": clip}) as server:
        times = frame_times(server.url("gate"), 45, transport)

    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) > 0.01
    assert max(steps) < 0.1


def test_a_clock_may_jump(clip: Path) -> None:
    """Asked to, stream time starts again with each loop."""
    with RtspServer({"gate": clip}, jump=True) as server:
        times = frame_times(server.url("gate"), 45)

    assert min(later - earlier for earlier, later in pairwise(times)) < 0


def test_two_mounts_and_a_wrong_one(clip: Path) -> None:
    """Each mount plays; an unknown one is not found."""
    with RtspServer({"gate": clip, "yard": clip}) as server:
        assert frame_times(server.url("gate"), 2)
        assert frame_times(server.url("yard"), 2)
        with pytest.raises(av.error.HTTPNotFoundError):
            frame_times(server.url("roof"), 1)


def test_a_password_is_asked(clip: Path) -> None:
    """With the password it plays, without it the answer is 401."""
    with RtspServer({"gate": clip}, user="u", password="p@ss") as server:
        assert frame_times(server.url("gate", credentials=True), 2)
        with pytest.raises(av.error.HTTPUnauthorizedError):
            frame_times(server.url("gate"), 1)


def test_once_ends_with_the_clip(clip: Path) -> None:
    """A stream that is played once ends."""
    with RtspServer({"gate": clip}, once=True) as server:
        times = frame_times(server.url("gate"), 1000)

    assert 1 <= len(times) <= 30


def test_it_comes_back_on_the_same_port(clip: Path) -> None:
    """Killed and started again it is at the same address; frozen and thawed it goes on."""
    server = RtspServer({"gate": clip})
    try:
        server.start()
        url = server.url("gate")
        server.kill()
        with pytest.raises(av.error.FFmpegError):
            frame_times(url, 1)
        server.start()
        server.freeze()
        with pytest.raises(av.error.FFmpegError):
            av.open(url, options=TCP, timeout=0.5)
        server.thaw()
        assert frame_times(url, 2)
    finally:
        server.stop()


def test_tls(clip: Path, tmp_path: Path) -> None:
    """With a certificate it speaks RTSP over TLS."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    with RtspServer({"gate": clip}, tls=(certificate, key)) as server:
        assert frame_times(server.url("gate"), 2)


def test_a_taken_port_is_told(clip: Path) -> None:
    """A second server on the same port says so."""
    with RtspServer({"gate": clip}) as server, pytest.raises(RuntimeError, match="in use"):
        RtspServer({"gate": clip}, port=server.port).start()
