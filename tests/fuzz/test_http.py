"""Whatever is said to the HTTP face: it answers or hangs up, goes on serving, and tells no secret."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from fuzz.effort import effort
from fuzz.mutation import spoilt
from fuzz.silence import SECRET, assert_silent
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from agent.pipeline.heartbeat import Heartbeats
from agent.web.answers import Answers
from agent.web.web_server import WebServer

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
PAGES = ("/metrics", "/healthz", "/readyz", "/api/v1/status")
REQUEST = (
    f"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\nAccept: */*\r\n\r\n".encode()
)
TOKENS = (
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"Content-Length: 99\r\n", b"Content-Length: -1\r\n", b"Content-Length: 1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n", b"0\r\n\r\n",
    b"Expect: 100-continue\r\n", b"POST ", b"HEAD ",
    b"OPTIONS * ", b"CONNECT a:1 ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.0",
    b"HTTP/9.9", b"%00", b"%ff", b"/../..",
    b"?a=%", b"Host: [",
    b"Host: evil.example\r\n", b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"\x16\x03\x01\x02\0",
    b"Bearer ", b"Basic ", b"Accept: application/openmetrics-text; q=x;;,\r\n",
    b"A" * 70_000, b"\xe4\xb8\xad", b"/metrics",
)  # fmt: skip
ANSWER_WITHIN_S = 5.0
MOST_BYTES = 200_000


@pytest.fixture(scope="module", params=[SECRET, None], ids=["token", "loopback only"])
def server(request: pytest.FixtureRequest) -> Iterator[WebServer]:
    registry = CollectorRegistry()
    Counter("turns", "Turns.", registry=registry).inc()
    answers = Answers(registry, Heartbeats(), list, lambda: {"site": "depot"})
    web = WebServer("127.0.0.1", 0, answers, request.param)
    web.open()
    thread = threading.Thread(target=web.run, name="http")
    thread.start()
    yield web
    web.stop()
    thread.join()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as one:
        yield one


def say(server: WebServer, content: bytes) -> bytes:
    """What comes back for some bytes, after which nothing more is said."""
    port = int(server.address.rpartition(":")[2])
    heard = b""
    with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S) as connection, suppress(OSError):
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        while (more := connection.recv(65_536)) and len(heard) < MOST_BYTES:
            heard += more
    return heard


def assert_serves(server: WebServer) -> None:
    """A good request gets a good answer."""
    heard = say(server, REQUEST.replace(b"/api/v1/status", b"/healthz"))
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"alive":true' in heard


@effort(150)
@given(content=st.one_of(spoilt(REQUEST, TOKENS), spoilt(REQUEST * 2, TOKENS), st.binary(max_size=200)))
def test_any_bytes(server: WebServer, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    """Half requests, other protocols, endless headers: an answer of HTTP or none, and no traceback."""
    caplog.set_level(logging.DEBUG)
    heard = say(server, content)

    assert not heard or heard.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in heard.partition(b"\r\n")[0]
    assert_silent(heard.decode("latin-1"), caplog.text)
    assert "Traceback" not in caplog.text
    caplog.clear()
    assert_serves(server)


ODD_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20)


@effort(80)
@given(
    method=st.sampled_from(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW")),
    page=st.sampled_from((*PAGES, "/", "/docs", "/openapi.json", "/metrics/")),
    query=st.text(max_size=10),
    headers=st.dictionaries(st.sampled_from(("accept", "authorization", "host", "range", "te", "x")), ODD_TEXT),
    body=st.binary(max_size=100),
)
def test_any_request(
    server: WebServer, client: httpx.Client, method: str, page: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    """Well made, whatever is asked: 2xx to 4xx, JSON where JSON is said, and no page without the right token."""
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    try:
        answer = client.request(method, f"{server.address}{page}", params={"q": query}, headers=encoded, content=body)
    except httpx.ProtocolError:
        return  # our own client will not say it, or what it said is no HTTP and the server hung up

    assert 200 <= answer.status_code < 500
    assert_silent(answer.text, answer.headers)
    if answer.headers.get("content-type") == "application/json" and answer.text:
        json.loads(answer.text)
    if server._token is not None:
        assert answer.status_code in (400, 401)


def test_it_still_serves(server: WebServer) -> None:
    """After all of that."""
    assert_serves(server)
