from __future__ import annotations

import logging
import socket
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from clips.rendered import render_clip
from fakes.frame_source import camera_context
from servers.ports import free_port
from servers.rtsp import RtspServer

from agent.errors import SourceError, SourceFailure
from agent.stream.av_target import AvTarget, http_target, rtsp_target
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource

USER, PASSWORD = "guard", "p@ss/w:rd?#%"
SOON = Limits(open_s=1.2, read_s=1.0, stall_s=1.5)


def failure_of(target: AvTarget, limits: Limits = SOON) -> SourceError:
    """How a source that must fail, fails."""
    with pytest.raises(SourceError) as caught:
        next(iter(PyavSource(camera_context(), target, limits).frames()))
    return caught.value


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render_clip(path, seconds=1, fps=10, size=(320, 180))
    with RtspServer({"gate": path}, user=USER, password=PASSWORD) as server:
        yield server


@pytest.fixture(params=["rtsp", "http"])
def silent(request: pytest.FixtureRequest) -> Iterator[AvTarget]:
    """A server that takes connections and never says a word."""
    make = rtsp_target if request.param == "rtsp" else http_target
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield make(f"{request.param}://127.0.0.1:{server.getsockname()[1]}/gate", SOON)


class _Answers(BaseHTTPRequestHandler):
    """Answers /403 with 403, and so on."""

    def do_GET(self) -> None:
        self.send_error(int(self.path.strip("/")))

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="web")
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.rtsp
@pytest.mark.parametrize(("user", "password"), [(None, None), (USER, "wrong"), ("nobody", PASSWORD)])
def test_wrong_credentials_are_unauthorised(camera: RtspServer, user: str | None, password: str | None) -> None:
    """A camera that answers 401 is told as such, with what to set."""
    error = failure_of(rtsp_target(camera.url("gate"), SOON, username=user, password=password))

    assert error.failure is SourceFailure.UNAUTHORISED
    assert "username" in error.detail
    assert "401" in error.detail


@pytest.mark.rtsp
def test_an_unknown_mount_is_not_found(camera: RtspServer) -> None:
    """A camera that answers 404 is told as such."""
    error = failure_of(rtsp_target(camera.url("roof"), SOON, username=USER, password=PASSWORD))

    assert error.failure is SourceFailure.NOT_FOUND
    assert "404" in error.detail


@pytest.mark.rtsp
def test_any_password_opens_and_none_is_ever_shown(
    camera: RtspServer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A password full of an address's own signs works; neither object, error, trace nor log holds it, in any form."""
    caplog.set_level(logging.DEBUG)
    target = rtsp_target(camera.url("gate"), SOON, username=USER, password=PASSWORD)
    source = PyavSource(camera_context(), target, SOON)
    assert next(iter(source.frames())).info.sequence == 1
    source.close()
    shown = [repr(target), repr(source), str(vars(source)["_target"])]
    for bad in (
        rtsp_target(camera.url("roof"), SOON, username=USER, password=PASSWORD),
        rtsp_target(f"rtsp://127.0.0.1:{free_port()}/x", SOON, username=USER, password=PASSWORD),
        rtsp_target("rtsp://no-such-host.invalid/x", SOON, username=USER, password=PASSWORD),
    ):
        error = failure_of(bad)
        shown += ["".join(traceback.format_exception(error)), repr(error), str(error.__context__), str(error.__cause__)]
    shown += [*capfd.readouterr(), caplog.text]

    for secret in (PASSWORD, "p%40ss", "w%3Ard", "p@ss"):
        assert not [text for text in shown if secret in text]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_closed_port_is_refused(scheme: str) -> None:
    """Nobody listens: told at once."""
    make = rtsp_target if scheme == "rtsp" else http_target
    began_s = time.monotonic()

    error = failure_of(make(f"{scheme}://127.0.0.1:{free_port()}/gate", Limits()), Limits())

    assert error.failure is SourceFailure.REFUSED
    assert time.monotonic() - began_s < 2


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "https"])
def test_an_unknown_name_is_unreachable(scheme: str) -> None:
    """A host name that nobody knows is told with the name."""
    make = http_target if scheme == "https" else rtsp_target

    error = failure_of(make(f"{scheme}://no-such-host.invalid/gate", Limits()), Limits())

    assert error.failure is SourceFailure.UNREACHABLE
    assert "no-such-host.invalid" in error.detail


def test_a_silent_server_is_a_timeout(silent: AvTarget) -> None:
    """A server that takes the connection and says nothing is given up within the limit."""
    began_s = time.monotonic()

    assert failure_of(silent).failure is SourceFailure.TIMEOUT
    assert time.monotonic() - began_s < SOON.open_s + 1.5


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, SourceFailure.UNAUTHORISED),
        (403, SourceFailure.UNAUTHORISED),
        (404, SourceFailure.NOT_FOUND),
        (410, SourceFailure.OTHER),
        (503, SourceFailure.OTHER),
    ],
)
def test_http_answers_are_typed(web: str, status: int, failure: SourceFailure) -> None:
    """Each refusal of a web server has its reason."""
    assert failure_of(http_target(f"{web}/{status}", Limits()), Limits()).failure is failure


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
def test_a_server_without_tls_is_told(web: str, scheme: str) -> None:
    """A secure address at a port that speaks plain text."""
    make = http_target if scheme == "https" else rtsp_target

    error = failure_of(make(web.replace("http:", f"{scheme}:") + "/200", Limits()), Limits())

    assert error.failure is SourceFailure.TLS


def test_another_protocol_behind_the_port_is_told(web: str) -> None:
    """A web server at an RTSP address does not answer as a camera."""
    error = failure_of(rtsp_target(web.replace("http:", "rtsp:") + "/200", Limits()), Limits())

    assert error.failure in {SourceFailure.OTHER, SourceFailure.UNSUPPORTED, SourceFailure.ENDED}
