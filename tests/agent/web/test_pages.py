"""The pages over real HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

import httpx
import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.telemetry.teller import Teller
from agent.web.answers import Answers
from agent.web.web_server import WebServer

DEADLINE_S = 5.0
TOKEN = "a-token-für-tests"


@dataclass
class Site:
    """What the pages are asked about, moved by the tests."""

    clock: FakeClock = field(default_factory=FakeClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    missing: list[str] = field(default_factory=list)

    def answers(self) -> Answers:
        def missing() -> Sequence[str]:
            return self.missing

        def status() -> Mapping[str, object]:
            return {
                "site": "depot",
                "since": datetime(2026, 1, 1, tzinfo=timezone.utc),
                "cameras": {"gate": {"fps": 9.5}},
            }

        return Answers(self.registry, self.heartbeats, missing, status)


@pytest.fixture
def site() -> Site:
    """A site with one metric and one heartbeat."""
    made = Site()
    Teller(made.registry, logging.getLogger("tests.web")).counter("frames", "Frames.", ["camera"]).labels("gate").inc(3)
    made.heartbeats.add(Heartbeat("capture-gate", made.clock, limit_s=5.0))
    return made


@pytest.fixture(params=[None])
def server(site: Site, request: pytest.FixtureRequest) -> Iterator[WebServer]:
    """A running server on a free port; `indirect` gives it a token."""
    running = WebServer("127.0.0.1", 0, site.answers(), request.param)
    running.open()
    beats = threading.Event()
    thread = threading.Thread(target=running.run, args=(beats.set,), name="web")
    thread.start()
    assert beats.wait(DEADLINE_S)
    yield running
    running.stop()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def _get(server: WebServer, path: str, **headers: str) -> httpx.Response:
    return httpx.get(server.address + path, headers=headers, timeout=DEADLINE_S, trust_env=False)


with_token = pytest.mark.parametrize("server", [TOKEN], indirect=True)


def test_metrics_are_prometheus_text(server: WebServer) -> None:
    """What Prometheus scrapes parses and holds our values."""
    answer = _get(server, "/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        sample.name: sample for family in text_string_to_metric_families(answer.text) for sample in family.samples
    }
    assert samples["sitewatch_frames_total"].value == 3
    assert samples["sitewatch_frames_total"].labels == {"camera": "gate"}


def test_metrics_are_open_metrics_on_request(server: WebServer) -> None:
    """The newer format is given to whoever asks for it."""
    answer = _get(server, "/metrics", accept="application/openmetrics-text; version=1.0.0")

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_health_tells_every_heartbeat_and_names_the_stalled(server: WebServer, site: Site) -> None:
    """200 while loops turn; 503 with the name of the one that does not."""
    site.clock.advance(2.0)
    alive = _get(server, "/healthz")
    site.clock.advance(4.0)
    stalled = _get(server, "/healthz")

    assert (alive.status_code, stalled.status_code) == (200, 503)
    assert alive.json() == {"alive": True, "stalled": [], "heartbeat_age_seconds": {"capture-gate": 2.0}}
    assert stalled.json()["stalled"] == ["capture-gate"]


def test_readiness_says_what_is_missing(server: WebServer, site: Site) -> None:
    """503 with the reasons until there are none."""
    site.missing.append("engine: not warmed yet")
    waiting = _get(server, "/readyz")
    site.missing.clear()
    ready = _get(server, "/readyz")

    assert (waiting.status_code, ready.status_code) == (503, 200)
    assert waiting.json() == {"ready": False, "missing": ["engine: not warmed yet"]}
    assert ready.json() == {"ready": True, "missing": []}


def test_the_status_is_json(server: WebServer) -> None:
    """Times and nested records included, and nobody may keep a copy."""
    answer = _get(server, "/api/v1/status")

    assert answer.json() == {"site": "depot", "since": "2026-01-01T00:00:00+00:00", "cameras": {"gate": {"fps": 9.5}}}
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/"])
def test_there_are_no_pages_nobody_asked_for(server: WebServer, path: str) -> None:
    """FastAPI's own pages are off."""
    assert _get(server, path).status_code == 404


def test_head_is_answered_for_load_balancers(server: WebServer) -> None:
    """HEAD is GET without its body."""
    answer = httpx.head(server.address + "/healthz", timeout=DEADLINE_S, trust_env=False)

    assert (answer.status_code, answer.content) == (200, b"")


def test_nothing_can_be_changed(server: WebServer) -> None:
    """Other methods are refused."""
    assert httpx.post(server.address + "/healthz", timeout=DEADLINE_S, trust_env=False).status_code == 405


@with_token
@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", "Basic " + TOKEN, TOKEN, "Bearer\tx"])
def test_without_the_token_nothing_is_told(server: WebServer, authorization: str) -> None:
    """401 for every page, unknown ones too, so a stranger learns nothing."""
    headers = [(b"authorization", authorization.encode())]
    with httpx.Client(base_url=server.address, headers=headers, timeout=DEADLINE_S, trust_env=False) as client:
        answers = [client.get(path) for path in ("/metrics", "/healthz", "/readyz", "/api/v1/status", "/unknown")]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)
    assert len({answer.text for answer in answers}) == 1


@with_token
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_s_bearer_is_served_under_any_name(server: WebServer, scheme: str) -> None:
    """With the token the host asked for does not matter: there may be a proxy."""
    headers = [(b"authorization", f"{scheme} {TOKEN}".encode()), (b"host", b"depot.example.org")]
    answer = httpx.get(server.address + "/healthz", headers=headers, timeout=DEADLINE_S, trust_env=False)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:9464", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("evil.example.org", 421),
        ("127.0.0.1.evil.org", 421),
        ("192.168.1.5", 421),
    ],
)
def test_without_a_token_only_loopback_names_are_served(server: WebServer, host: str, code: int) -> None:
    """A page in a browser of this machine cannot read the status under a name of its own."""
    assert _get(server, "/healthz", host=host).status_code == code
