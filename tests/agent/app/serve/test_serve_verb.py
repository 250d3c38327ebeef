"""`sitewatch serve` as an operator runs it: start, token, signals, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clips import sent_pictures
from clips.rendered import TruthBox, draw
from models.detecting import assert_finds
from models.square_detectors import build_detector
from models.troubled_detectors import build_troubled
from PIL import Image
from prometheus_client import enable_created_metrics
from servers.detection_server import ServeProcess

from agent.cli import main
from agent.service.exit_codes import ExitCode
from trackers import Detections

TOKEN = "a-token-that-nobody-may-see"
DEADLINE_S = 60.0
CHEAP = ("--engine", "onnxruntime", "--max-batch-size", "2")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of squares."""
    return build_detector("yolov8", tmp_path_factory.mktemp("serve") / "squares.onnx", batch="dynamic")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So that engines are chosen once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _created_metrics() -> Iterator[None]:
    """What the verb switches off for its process, on again for the other tests of this one."""
    yield
    enable_created_metrics()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Without proxies."""
    with httpx.Client(trust_env=False, timeout=DEADLINE_S) as one:
        yield one


def test_a_day_of_a_server(model: Path, cache: Path, tmp_path: Path, client: httpx.Client) -> None:
    """It says where it is, is not ready while it loads, answers, drains at SIGTERM, ends with 0, and tells no token."""
    environment = {"SITEWATCH_SERVE_TOKEN": TOKEN}
    options = ("--model", str(model), "--cache", str(cache), "--host", "0.0.0.0", "--drain", "1s", *CHEAP)  # noqa: S104 - with a token
    client.headers["authorization"] = f"Bearer {TOKEN}"
    with ServeProcess(tmp_path, *options, environment=environment) as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - as above
        early = client.get(f"{url}/ready"), client.post(f"{url}/detect", content=sent_pictures.png())
        server.wait_for("ready after")
        answer = client.post(f"{url}/detect", content=sent_pictures.png())
        without = client.get(f"{url}/metrics", headers={"authorization": ""})
        status, draining = _drained(server, client, url)

    assert [each.status_code for each in early] == [503, 503]
    assert early[1].json()["code"] == "not_ready"
    assert answer.status_code == 200
    found = answer.json()["detections"]
    assert_finds(
        Detections([each["box"] for each in found], [each["score"] for each in found],  # type: ignore[arg-type] # lists
                   [each["class_id"] for each in found]), sent_pictures.SQUARES)  # type: ignore[arg-type] # fmt: skip
    assert without.status_code == 401
    assert status == 0
    assert draining == (503, 200)
    assert TOKEN not in server.log


def _drained(server: ServeProcess, client: httpx.Client, url: str) -> tuple[int, tuple[int, int]]:
    """The exit status; and what /ready and /detect said meanwhile."""
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("draining")
    said = client.get(f"{url}/ready").status_code, client.post(f"{url}/detect", content=sent_pictures.png()).status_code
    return server.process.wait(DEADLINE_S), said


def test_open_requests_are_answered_before_the_end(model: Path, cache: Path, tmp_path: Path) -> None:
    """A picture that is half sent when SIGTERM comes is still searched."""
    content = sent_pictures.png()
    with ServeProcess(tmp_path, "--model", str(model), "--cache", str(cache), "--drain", "0s", *CHEAP) as server:
        host, port = server.url.removeprefix("http://").split(":")
        server.wait_for("ready after")
        with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as slow:
            head = f"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
            slow.sendall(head.encode() + content[:1000])
            _until_open(f"{server.url}/metrics")
            os.kill(server.process.pid if server.process else 0, signal.SIGTERM)
            server.wait_for("draining")
            time.sleep(0.3)
            slow.sendall(content[1000:])
            answer = slow.recv(65536)
        status = server.status()

    assert answer.startswith(b"HTTP/1.1 200")
    assert status == 0


def _until_open(metrics: str) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while "sitewatch_serve_open_requests 1.0" not in httpx.get(metrics, trust_env=False).text:
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_a_hung_engine_ends_the_process(cache: Path, tmp_path: Path, client: httpx.Client) -> None:
    """Whoever waits is told within the deadline of an inference, and the exit status is that of a failure."""
    path = build_troubled("hangs", tmp_path / "hangs.onnx", input_size=320, frame_px=(640, 360))
    blue = draw([TruthBox(1, 1, 164, 72, 228, 136)], (640, 360), seed=0)[:, :, ::-1].copy()
    options = ("--model", str(path), "--cache", str(cache), "--inference-deadline", "1s", "--log-level", "info")
    with ServeProcess(tmp_path, *options, *CHEAP) as server:
        url = server.url
        server.wait_for("ready after")
        answer = client.post(f"{url}/detect", content=sent_pictures.encoded(Image.fromarray(blue), "PNG"))
        status = server.status()

    assert answer.status_code == 503
    assert answer.json()["code"] == "engine_lost"
    assert status == ExitCode.SOFTWARE


REFUSED: dict[str, tuple[list[str], ExitCode, str]] = {
    "no model": (["--model", "none.onnx"], ExitCode.CONFIG, "none.onnx"),
    "an open address": (["--host", "0.0.0.0"], ExitCode.CONFIG, "a token is needed"),  # noqa: S104 - refused here
    "a wait without unit": (["--max-wait", "5"], ExitCode.CONFIG, "--max-wait: found '5'"),
    "a wait too long": (["--max-wait", "2s"], ExitCode.CONFIG, "--max-wait: found 2s; allowed: 0s to 1s"),
    "no batch": (["--max-batch-size", "0"], ExitCode.CONFIG, "--max-batch-size: found 0; allowed: 1 to 64"),
    "a threshold": (["--score-threshold", "2"], ExitCode.CONFIG, "--score-threshold: found 2.0; allowed: 0 to 1"),
    "a run-time": (["--engine", "steam"], ExitCode.CONFIG, "--engine: found 'steam'"),
    "no token file": (["--token-file", "none"], ExitCode.CONFIG, "--token-file: none cannot be read"),
    "a port": (["--port", "70000"], ExitCode.CONFIG, "--port: found 70000"),
    "too many pixels": (["--max-pixels", "99999999999"], ExitCode.CONFIG, "--max-pixels: found 99999999999"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_served_is_told(
    kind: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line with what was found and what is allowed; the exit status says what kind of mistake it is."""
    monkeypatch.chdir(tmp_path)
    options, status, words = REFUSED[kind]
    found = main(["serve", "--model", str(model), "--port", "0", *options])
    said = capfd.readouterr().err

    assert found == status
    assert words in said
    assert "Traceback" not in said


def test_a_taken_port_is_told(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status = main(["serve", "--model", str(model), "--port", port])

    assert status == ExitCode.TEMPFAIL
    assert f"--port: {port} on 127.0.0.1 is in use" in capfd.readouterr().err


def test_a_token_file_that_is_none(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Empty, or more than a word; what is in it is not told."""
    file = tmp_path / "token"
    for content in ("", "two words-that-nobody-may-see", "x" * 5000):
        file.write_text(content, encoding="ascii")
        status = main(["serve", "--model", str(model), "--token-file", str(file)])
        said = capfd.readouterr().err
        assert status == ExitCode.CONFIG
        assert "must hold one word" in said
        assert "nobody-may-see" not in said


def test_a_missing_package_is_told(
    model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What to install, and 69."""
    monkeypatch.setattr("agent.app.serve.verb.find_spec", lambda name: None if name == "PIL" else object())
    status = main(["serve", "--model", str(model)])

    assert status == ExitCode.UNAVAILABLE
    assert "serve needs Pillow: pip install 'sitewatch[serve]'" in capfd.readouterr().err
