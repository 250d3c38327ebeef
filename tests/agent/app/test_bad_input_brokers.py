"""Brokers that do not let us in: the agent runs on, tells why once, and the events wait on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live.agent_process import AgentProcess, until
from live.sites import write_clip, write_site
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from servers.ports import free_port

pytestmark = pytest.mark.mosquitto
LOGIN = {"username": "agent", "password": "r1ght-pa55word"}
WRONG = "wr0ng-pa55word"
# What is wrong: the reason in metrics, and the sentence in the log.
TOLD: dict[str, tuple[str, str]] = {
    "away": ("refused", "connection refused; nothing listens there"),
    "wrong password": ("unauthorised", "it refuses our user name, password or certificate (Not authorized); broker."),
    "unknown authority": ("tls", "its certificate is not trusted: self-signed certificate in certificate chain; "),
    "no TLS there": ("unreachable", "it ends the connection at once; is broker.tls in the site file right for this"),
    "unknown host": ("unreachable", "its name cannot be resolved: "),
}
ATTEMPTS = {"away": 2, "unknown host": 2}  # what time may mend is tried again soon


@dataclass
class Sites:
    """A broker, a plain one that is not yet there, and one agent for everything that can be wrong."""

    folder: Path
    absent: Mosquitto
    agents: dict[str, AgentProcess]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """All of them at once, each with a clip that makes events."""
    folder = tmp_path_factory.mktemp("brokers")
    with ExitStack() as stack:
        secure = stack.enter_context(Mosquitto(folder / "secure", tls=True, user="agent", password=LOGIN["password"]))
        plain = stack.enter_context(Mosquitto(folder / "plain"))
        absent = Mosquitto(folder / "absent")
        agents = {}
        for name, broker in brokers(secure, plain, absent).items():
            agents[name] = AgentProcess(write(folder / name.replace(" ", "-"), broker), folder / name.replace(" ", "-"))
            stack.callback(agents[name].kill)
            agents[name].spawn()
        yield Sites(folder, absent, agents)


def brokers(secure: Mosquitto, plain: Mosquitto, absent: Mosquitto) -> Mapping[str, dict[str, Any]]:
    """The broker section of each site."""
    at, trusted = {"host": "localhost", "port": secure.port}, {"tls": {"ca_file": str(secure.ca_file)}}
    return {
        "away": {"host": absent.host, "port": absent.port},
        "wrong password": {**at, **LOGIN, **trusted, "password": WRONG},
        "unknown authority": {**at, **LOGIN, "tls": {"ca_file": str(secure.other_ca_file)}},
        "no TLS there": {**at, **LOGIN, **trusted, "port": plain.port},
        "unknown host": {"host": "no-such-host.invalid", "port": free_port(), **LOGIN},
    }


def write(folder: Path, broker: Mapping[str, Any]) -> Path:
    """A site that sees motion in a clip."""
    folder.mkdir()
    camera = {"source": str(write_clip(folder / "clip.mp4")), "playback": "loop"}
    return write_site(folder, {"gate": camera}, broker=broker, model="motion", log={"format": "text"})


@pytest.mark.parametrize("name", TOLD)
def test_it_is_told_once_and_events_wait(name: str, sites: Sites) -> None:
    """Ready, alive, the reason in one line and counted, events in the outbox, no credential, no traceback."""
    agent, (reason, told) = sites.agents[name], TOLD[name]
    until(lambda: "metrics at " in agent.log, "ready", 60.0)
    attempts = ATTEMPTS.get(name, 1)
    until(lambda: agent.metric("sitewatch_mqtt_reconnects_total", reason=reason) >= attempts, "attempts")
    until(lambda: agent.metric("sitewatch_outbox_events") >= 1, "events wait")

    assert agent.metric("sitewatch_mqtt_connected") == 0
    assert [agent.get(page).code for page in ("/readyz", "/healthz")] == [200, 200]
    assert agent.get("/api/v1/status").json()["broker"] == {"connected": False}
    lines = [line for line in agent.log.splitlines() if " warning " in line or " error " in line]
    assert len(lines) == 1, agent.log
    assert told in lines[0]
    said = agent.log + agent.output + agent.get("/metrics").text + agent.get("/api/v1/status").text
    assert not [secret for secret in (WRONG, LOGIN["password"]) if secret in said]
    assert "Traceback" not in agent.log


def test_a_broker_that_comes_later_gets_all(sites: Sites) -> None:
    """Nothing was lost while it was away: the sequence begins at 1 and has no gap."""
    agent = sites.agents["away"]
    until(lambda: "metrics at " in agent.log, "ready", 60.0)
    until(lambda: agent.metric("sitewatch_outbox_events") >= 2, "events wait")
    with sites.absent, Subscriber(sites.absent) as subscriber:
        until(lambda: len(subscriber.on("/events")) >= 3, "events arrive")
        assert agent.stop() == 0
        until(lambda: subscriber.on("home/status")[-1].json()["state"] == "stopped", "the goodbye")
        numbers = [message.json()["sequence"] for message in subscriber.on("/events")]

    assert list(dict.fromkeys(numbers)) == list(range(1, max(numbers) + 1))
