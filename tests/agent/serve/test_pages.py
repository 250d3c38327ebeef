"""How the server is: alive, ready, in numbers; and who may ask."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from clips import sent_pictures
from prometheus_client.parser import text_string_to_metric_families
from servers.detection_server import Serving, make_serve_plan, serving

from agent.errors import SettingsError

TOKEN = "a-token-that-nobody-may-see"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_and_ready(squares: Serving, method: str) -> None:
    """Both say 200 while pictures are searched; HEAD without a body."""
    health, ready = (squares.client.request(method, page) for page in ("/health", "/ready"))

    assert health.status_code == ready.status_code == 200
    if method == "HEAD":
        assert health.content == ready.content == b""
    else:
        assert health.json() == {"alive": True, "stalled": []}
        assert ready.json() == {"ready": True, "missing": [], "model_changed": False}


def test_metrics_count_what_was_done(squares: Serving) -> None:
    """Requests by status, pictures by device; readable by Prometheus."""
    ok = 'sitewatch_serve_requests_total{page="/detect",status="200"}'
    pictures = 'sitewatch_serve_pictures_total{device="cpu 0"}'
    before = squares.metric(ok), squares.metric(pictures)
    squares.detect(sent_pictures.png())
    families = {each.name for each in text_string_to_metric_families(squares.client.get("/metrics").text)}

    assert (squares.metric(ok), squares.metric(pictures)) == (before[0] + 1, before[1] + 1)
    assert {"sitewatch_serve_request_seconds", "sitewatch_serve_waiting", "sitewatch_inference_seconds"} <= families
    assert squares.metric("sitewatch_serve_ready") == 1
    assert squares.metric("sitewatch_serve_open_requests") == 0


def test_without_a_token_other_names_are_refused(squares: Serving) -> None:
    """A web page of somewhere else that reaches the loopback under a name of its own."""
    answer = squares.client.get("/metrics", headers={"host": "rebound.example.org"})

    assert answer.status_code == 421
    assert answer.json()["code"] == "foreign_host"


def test_a_token_is_asked_for(squares_model: Path, tmp_path: Path) -> None:
    """Of every page but those that a load balancer asks; a wrong one is as good as none, and none is shown."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    with serving(squares_model, "--token-file", str(file)) as served:
        bare = {page: served.client.get(page) for page in ("/metrics", "/openapi.json", "/health", "/ready", "/x")}
        wrong = served.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}x"})
        right = served.client.post("/detect", content=sent_pictures.png(), headers={"authorization": f"Bearer {TOKEN}"})
        document = served.client.get("/openapi.json", headers={"authorization": f"Bearer {TOKEN}"}).json()

    assert [answer.status_code for answer in bare.values()] == [401, 401, 200, 200, 401]
    assert bare["/metrics"].headers["www-authenticate"].startswith("Bearer")
    assert wrong.status_code == 401
    assert right.status_code == 200
    assert document["paths"]["/detect"]["post"]["security"] == [{"token": []}]
    assert TOKEN not in wrong.text + str(document)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "box.example.org"])  # noqa: S104 - refused here
def test_an_open_address_needs_a_token(host: str) -> None:
    """Refused before anything is loaded, with what to do."""
    with pytest.raises(
        SettingsError, match=r"--host: .* a token is needed: --token-file FILE, or SITEWATCH_SERVE_TOKEN"
    ):
        make_serve_plan(Path("m.onnx"), "--host", host)


def test_every_answer_forbids_keeping_it(squares: Serving) -> None:
    """Pictures of people do not belong into caches."""
    assert squares.client.get("/ready").headers["cache-control"] == "no-store"


def test_a_slow_body_is_given_up(squares_model: Path) -> None:
    """Whoever sends a picture byte by byte loses its place at the deadline."""
    with serving(squares_model, "--deadline", "300ms", "--queue", "1") as served:
        host, port = served.url.removeprefix("http://").split(":")
        with _half_sent(host, int(port)) as slow:
            full = _until_full(served)
            answer = slow.recv(65536)

        assert full.json()["code"] == "queue_full"
        assert full.headers["retry-after"] == "1"
        assert b"408" in answer.splitlines()[0]
        assert served.detect(sent_pictures.png()).status_code == 200


def _half_sent(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=10)
    connection.sendall(b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nxx")
    return connection


def _until_full(served: Serving) -> httpx.Response:
    while True:
        answer = served.detect(b"x")
        if answer.status_code == 503:
            return answer
