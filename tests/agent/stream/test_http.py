from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import cv2
import numpy as np
import pytest
from clips.rendered import render_clip
from fakes.frame_source import RecordingListener, camera_context

from agent.errors import SourceError, SourceFailure
from agent.settings.models import Pace, Playback
from agent.stream.av_target import http_target
from agent.stream.av_timing import Playing
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource


class _Files(SimpleHTTPRequestHandler):
    """Serves a folder, silently."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Mjpeg(BaseHTTPRequestHandler):
    """A camera that pushes JPEG pictures, twenty a second, thirty in all."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(30):
            _, jpeg = cv2.imencode(".jpg", np.full((120, 160, 3), 5 * number, np.uint8))
            try:
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
                self.wfile.write(jpeg.tobytes() + b"\r\n")
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def serving(handler: object) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type] # a partial is a maker too
    server.daemon_threads = False  # then closing waits for those that still answer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="web")
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("web")
    render_clip(folder / "clip.mkv", seconds=1, fps=10, size=(320, 180))
    yield from serving(partial(_Files, directory=str(folder)))


@pytest.fixture(scope="module")
def mjpeg() -> Iterator[str]:
    yield from serving(_Mjpeg)


def source_of(url: str, playing: Playing, listener: RecordingListener | None = None) -> PyavSource:
    return PyavSource(camera_context(listener), http_target(url, Limits(3, 3, 3)), Limits(3, 3, 3), playing)


def test_a_clip_over_http_is_played_as_a_clip(files: str) -> None:
    """It has a length, so it is played at its pace, and loops without a seam."""
    source = source_of(f"{files}/clip.mkv", Playing(Pace.FAST, Playback.LOOP))

    infos = [frame.info for frame in islice(source.frames(), 25)]
    source.close()

    assert np.diff([info.captured_monotonic_s for info in infos]) == pytest.approx(0.1)


def test_a_clip_over_http_ends(files: str) -> None:
    """Played once, at its own pace, it takes its time and returns."""
    began_s = time.monotonic()
    frames = list(source_of(f"{files}/clip.mkv", Playing(Pace.REALTIME, Playback.ONCE)).frames())

    assert len(frames) == 10
    assert 0.8 < time.monotonic() - began_s < 3.0


def test_a_camera_that_pushes_jpeg_is_live(mjpeg: str) -> None:
    """Pictures come as they are pushed, and their end is told as a failure to be retried."""
    listener = RecordingListener()
    ages_s: list[float] = []
    frames = source_of(mjpeg, Playing(), listener).frames()
    with pytest.raises(SourceError) as caught:
        ages_s.extend(time.monotonic() - frame.info.captured_monotonic_s for frame in frames)

    assert caught.value.failure is SourceFailure.ENDED
    assert len(ages_s) >= 20
    assert max(ages_s[-5:]) < 0.5
    assert [opened.codec for _, opened in listener.of("opened")] == ["mjpeg"]
