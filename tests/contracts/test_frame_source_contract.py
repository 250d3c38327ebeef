"""The promises of `FrameSource`, kept by the fake and by the real ones alike."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from clips.rendered import render_clip
from fakes.frame_source import FakeFrameSource, camera_context
from servers.rtsp import RtspServer

from agent.errors import SourceError, SourceFailure
from agent.settings.models import Pace, Playback
from agent.stream.av_target import file_target, rtsp_target
from agent.stream.av_timing import Playing
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource
from agent.stream.source import FrameSource

STOP_S = 2.0
Make = Callable[[], FrameSource]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render_clip(path, seconds=1, fps=10, size=(320, 180))
    return path


@pytest.fixture(scope="module")
def camera(clip: Path) -> Iterator[RtspServer]:
    with RtspServer({"gate": clip}) as server:
        yield server


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/gate"


def _clip_source(path: Path, pace: Pace, playback: Playback) -> PyavSource:
    return PyavSource(camera_context(), file_target(str(path)), Limits(), Playing(pace, playback))


def _camera_source(url: str) -> PyavSource:
    # The reader thread ends with its own time-out, soon enough for the check on leftover threads.
    limits = Limits(open_s=1.5, read_s=1.5, stall_s=5)
    return PyavSource(camera_context(), rtsp_target(url, limits), limits)


@pytest.fixture(params=["fake", "clip", pytest.param("rtsp", marks=pytest.mark.rtsp)])
def endless(request: pytest.FixtureRequest) -> Make:
    """A source that delivers some frames and does not end by itself."""
    if request.param == "fake":
        return lambda: FakeFrameSource(5, waits=True)
    if request.param == "clip":
        path = request.getfixturevalue("clip")
        return lambda: _clip_source(path, Pace.REALTIME, Playback.LOOP)
    server = request.getfixturevalue("camera")
    return lambda: _camera_source(server.url("gate"))


@pytest.fixture(params=["fake", "clip"])
def ending(request: pytest.FixtureRequest) -> Make:
    """A source of ten frames that ends."""
    if request.param == "fake":
        return lambda: FakeFrameSource(10)
    path = request.getfixturevalue("clip")
    return lambda: _clip_source(path, Pace.FAST, Playback.ONCE)


@pytest.fixture(params=["fake", "missing clip", "silent camera"])
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A source that gives no frame."""
    if request.param == "fake":
        return lambda: FakeFrameSource(0, failure=SourceFailure.NOT_FOUND)
    if request.param == "missing clip":
        return lambda: _clip_source(tmp_path / "none.mp4", Pace.FAST, Playback.LOOP)
    url = request.getfixturevalue("silent_url")
    return lambda: _camera_source(url)


def test_sequence_rises_by_one_and_time_never_falls(endless: Make) -> None:
    """Frames are numbered without gaps, and their times are in order."""
    source = endless()

    infos = [frame.info for frame in islice(source.frames(), 5)]
    source.close()

    assert [info.sequence for info in infos] == [1, 2, 3, 4, 5]
    times = [info.captured_monotonic_s for info in infos]
    assert times == sorted(times)
    assert all(info.captured_at.tzinfo is not None for info in infos)


def test_pictures_have_the_size_that_is_told(endless: Make) -> None:
    """What `full()` gives is as large as the frame says, and `scaled()` as asked."""
    source = endless()

    frame = next(iter(source.frames()))
    source.close()

    assert frame.picture.full().shape == (frame.info.height_px, frame.info.width_px, 3)
    assert frame.picture.scaled(40, 30).shape == (30, 40, 3)
    assert frame.picture.grey(40, 30).shape == (30, 40)


def test_an_end_is_no_failure(ending: Make) -> None:
    """`frames()` of something that ends returns after its last frame."""
    assert [frame.info.sequence for frame in ending().frames()] == list(range(1, 11))


def test_a_failure_is_typed(failing: Make) -> None:
    """`frames()` of something that cannot be had raises `SourceError` with a reason and a sentence."""
    with pytest.raises(SourceError) as caught:
        next(iter(failing().frames()))

    assert caught.value.failure in {SourceFailure.NOT_FOUND, SourceFailure.TIMEOUT}
    assert caught.value.detail


def test_closed_before_it_began(endless: Make) -> None:
    """A source that is closed first gives no frame and no failure, however often it is closed."""
    source = endless()
    source.close()
    source.close()

    assert list(source.frames()) == []


def test_close_from_another_thread_ends_a_waiting_consumer(endless: Make) -> None:
    """`frames()` returns within two seconds of `close()`, without failure."""
    source = endless()
    seen = threading.Event()

    def consume() -> None:
        for _ in source.frames():
            seen.set()

    consumer = threading.Thread(target=consume, name="consumer")
    consumer.start()
    assert seen.wait(10)
    began_s = time.monotonic()
    source.close()
    consumer.join(STOP_S + 1)

    assert not consumer.is_alive()
    assert time.monotonic() - began_s < STOP_S


def test_close_ends_a_consumer_that_waits_for_a_silent_camera(silent_url: str) -> None:
    """Also while the camera has not even answered."""
    source = _camera_source(silent_url)
    frames: list[object] = []
    consumer = threading.Thread(target=lambda: frames.extend(source.frames()), name="consumer")
    consumer.start()
    time.sleep(0.3)
    began_s = time.monotonic()
    source.close()
    consumer.join(STOP_S + 1)

    assert not consumer.is_alive()
    assert time.monotonic() - began_s < STOP_S
    assert frames == []
