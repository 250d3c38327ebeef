"""A running site through everything that goes wrong around it: cameras, broker and the agent itself end and return."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live.agent_process import AgentProcess, Answer, until
from live.sites import write_clip, write_site
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Received, Subscriber
from servers.rtsp import RtspServer

BROKER_USER, BROKER_PASSWORD = "agent", "br0ker-pa55word"
CAMERA_USER, CAMERA_PASSWORD = "viewer", "c4mera-pa55word"


@dataclass
class Story:
    """What was seen from outside.

    Attributes:
        messages: by a subscriber that speaks MQTT 5 and one that speaks 3.1.1.
        pages: of the HTTP face, at the end of the first run.
        metrics: at the end of each run.
        while_away: how many events came from the other camera while one was away.
        written: log and standard output of both runs.
        exit_status, stop_s: of the second run, which was asked to stop.
    """

    messages: dict[str, list[Received]] = field(default_factory=dict)
    pages: dict[str, Answer] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    while_away: int = 0
    written: str = ""
    exit_status: int | None = None
    stop_s: float = 0.0

    def payloads(self, ending: str) -> list[Any]:
        """Payloads of the topics that end so, as they arrived, doubles by `event_id` left out."""
        found = [message.json() for message in self.messages["5"] if message.topic.endswith(ending)]
        return list({payload.get("event_id", number): payload for number, payload in enumerate(found)}.values())


class Site:
    """Two cameras, a broker, two subscribers and the agent, all of them real."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        clip = write_clip(folder / "clip.mp4")
        user, password = BROKER_USER, BROKER_PASSWORD
        self.broker = stack.enter_context(Mosquitto(folder / "broker", tls=True, user=user, password=password))
        self.gate, self.yard = (
            stack.enter_context(RtspServer({name: clip}, user=CAMERA_USER, password=CAMERA_PASSWORD))
            for name in ("gate", "yard")
        )
        self.subscribers = {
            version: stack.enter_context(
                Subscriber(self.broker, user=user, password=password, client_id=version, version=version)
            )
            for version in ("5", "3.1.1")
        }
        self.broker.save()  # the subscribers' sessions outlive its violent end
        self.agent = stack.enter_context(AgentProcess(self._write(folder), folder))

    def events(self, camera: str = "") -> list[Any]:
        """Events so far."""
        return [message.json() for message in self.subscribers["5"].on(f"{camera}/events")]

    def await_events(self, camera: str, more: int = 1) -> None:
        """Wait for so many more events of a camera."""
        before = len(self.events(camera))
        until(lambda: len(self.events(camera)) >= before + more, f"{more} more events of {camera}")

    def await_state(self, topic: str, state: str) -> None:
        """Wait until the newest status of a camera, or of the site, is this."""
        until(lambda: self._state(topic) == state, f"{topic} is {state}")

    def await_drained(self) -> None:
        """Wait until nothing waits for the broker."""
        until(lambda: self.agent.metric("sitewatch_outbox_events") == 0, "the outbox is empty")

    def _state(self, topic: str) -> str | None:
        told = self.subscribers["5"].on(f"/{topic}/status")
        state: str | None = told[-1].json()["state"] if told else None
        return state

    def _write(self, folder: Path) -> Path:
        (folder / "camera.password").write_text(CAMERA_PASSWORD)
        (folder / "camera.password").chmod(0o600)
        cameras = {
            "gate": {"source": self.gate.url("gate", credentials=True)},
            "yard": {"source": self.yard.url("yard"), "username": CAMERA_USER, "password": CAMERA_PASSWORD},
        }
        broker = {
            "host": self.broker.host, "port": self.broker.port, "username": BROKER_USER, "password": BROKER_PASSWORD,
            "tls": {"ca_file": str(self.broker.ca_file)},
        }  # fmt: skip
        return write_site(folder, cameras, broker=broker, log={"level": "debug"})


def live_through(folder: Path) -> Story:
    """Run a site until everything has gone wrong once and it was asked to stop."""
    with ExitStack() as stack:
        site, seen = Site(folder, stack), Story()
        site.await_events("gate")
        site.await_events("yard")
        lose_a_camera(site, seen)
        lose_the_broker(site)
        seen.pages = {page: site.agent.get(page) for page in ("/healthz", "/readyz", "/api/v1/status")}
        seen.metrics.append(site.agent.get("/metrics").text)
        lose_the_agent(site)
        stop_the_agent(site, seen)
        seen.messages = {version: subscriber.messages for version, subscriber in site.subscribers.items()}
        seen.written = site.agent.log + site.agent.output
    return seen


def lose_a_camera(site: Site, seen: Story) -> None:
    """It is shut down, loses its power, and hangs; the other one goes on meanwhile."""
    site.yard.stop()
    site.await_state("yard", "offline")
    before = len(site.events("gate"))
    site.await_events("gate", 2)
    seen.while_away = len(site.events("gate")) - before
    site.yard.start()
    site.await_state("yard", "online")
    site.yard.kill()
    site.await_state("yard", "offline")
    site.yard.start()
    site.await_state("yard", "online")
    site.yard.freeze()
    site.await_state("yard", "offline")
    site.yard.thaw()
    site.await_state("yard", "online")
    site.await_events("yard")


def lose_the_broker(site: Site) -> None:
    """It is stopped and started, then killed and started, while events come."""
    for end in (site.broker.stop, site.broker.kill):
        end()
        until(lambda: site.agent.metric("sitewatch_outbox_events") >= 3, "events wait")
        site.broker.start()
        site.await_drained()
        site.await_events("gate")


def lose_the_agent(site: Site) -> None:
    """The power fails: it is killed, with events perhaps on their way, the cameras too, and all start again."""
    site.agent.kill()
    site.await_state("home", "offline")
    for camera in (site.gate, site.yard):
        camera.kill()
        camera.start()
    site.agent.start()
    site.await_state("home", "online")
    site.await_events("gate", 2)
    site.await_events("yard", 2)


def stop_the_agent(site: Site, seen: Story) -> None:
    """It is asked to stop."""
    seen.metrics.append(site.agent.get("/metrics").text)
    began_s = time.monotonic()
    seen.exit_status = site.agent.stop()
    seen.stop_s = time.monotonic() - began_s
    site.await_state("home", "stopped")
