"""A running site through everything that goes wrong around it: cameras, broker and the agent itself end and return."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fakes.payload_schemas import of_topic
from live.agent_process import AgentProcess, Answer, total, until
from live.sites import write_clip, write_site
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Received, Subscriber
from servers.rtsp import RtspServer

pytestmark = [pytest.mark.rtsp, pytest.mark.mosquitto]
BROKER_USER, BROKER_PASSWORD = "agent", "br0ker-pa55word"
CAMERA_USER, CAMERA_PASSWORD = "viewer", "c4mera-pa55word"
MOST_STOP_S = 8.0
# Events that a killed agent may have sent without having seen the acknowledgement; it makes a few a second.
MOST_IN_FLIGHT = 8


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
        login = {"user": BROKER_USER, "password": BROKER_PASSWORD}
        self.broker = stack.enter_context(Mosquitto(folder / "broker", tls=True, **login))
        self.gate, self.yard = (
            stack.enter_context(RtspServer({name: clip}, user=CAMERA_USER, password=CAMERA_PASSWORD))
            for name in ("gate", "yard")
        )
        self.subscribers = {
            version: stack.enter_context(Subscriber(self.broker, client_id=version, version=version, **login))
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


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Run it once; the tests read what was seen."""
    with ExitStack() as stack:
        site, seen = Site(tmp_path_factory.mktemp("site"), stack), Story()
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
    """It is killed, with events perhaps on their way, and started again."""
    site.agent.kill()
    site.await_state("home", "offline")
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


def test_every_message_fits_its_schema(story: Story) -> None:
    """On all topics, for both versions of MQTT."""
    for messages in story.messages.values():
        assert {message.topic.rsplit("/", 1)[1] for message in messages} == {"status", "events", "detections"}
        for message in messages:
            of_topic(message.topic).validate(message.json())


def test_no_event_is_lost(story: Story) -> None:
    """Both subscribers have every sequence number from 1 to the last, and each number is one event."""
    for messages in story.messages.values():
        events = [message.json() for message in messages if message.topic.endswith("/events")]
        numbers = {event["sequence"]: event["event_id"] for event in events}

        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert len({event["event_id"] for event in events}) == len(numbers)
    made = sum(total(metrics, "sitewatch_events_total") for metrics in story.metrics)
    assert len(numbers) >= made


def test_doubles_are_the_same_message_again(story: Story) -> None:
    """What arrives twice has the same bytes, and was on its way when a connection or the agent ended."""
    arrived = Counter(message.payload for message in story.messages["5"] if message.topic.endswith("/events"))
    events = {message.json()["event_id"] for message in story.messages["5"] if message.topic.endswith("/events")}
    resent = total(story.metrics[0], "sitewatch_messages_total", kind="event", outcome="resent")

    assert len(arrived) == len(events)
    assert arrived.total() - len(arrived) <= resent + MOST_IN_FLIGHT


def test_events_of_a_camera_arrive_in_order(story: Story) -> None:
    """Sequence and frame number rise, over outages and over a restart."""
    for camera in ("gate", "yard"):
        events = story.payloads(f"/{camera}/events")
        by_run = Counter(event["run_id"] for event in events)

        assert len(by_run) == 2
        assert all(first["sequence"] < second["sequence"] for first, second in pairwise(events))
        for run_id in by_run:
            frames = [event["frame_sequence"] for event in events if event["run_id"] == run_id]
            assert frames == sorted(frames)


def test_every_track_has_one_life(story: Story) -> None:
    """`new` first, then updates, `end` last and at most once; the run that was asked to stop ended all of them."""
    lives: dict[str, list[str]] = {}
    for event in story.payloads("/events"):
        lives.setdefault(event["id"], []).append(event["type"])
    last_run = story.payloads("home/status")[-1]["run_id"]

    assert {life[0] for life in lives.values()} == {"new"}
    assert all(set(life[1:-1]) <= {"update"} for life in lives.values())
    assert all(life[-1] == "end" for track, life in lives.items() if track.startswith(last_run))


def test_nothing_ends_before_it_began(story: Story) -> None:
    """Times within a track's life are in order."""
    for event in story.payloads("/events"):
        assert event["start_time"] <= event["frame_time"]
        assert event["end_time"] is None or event["start_time"] <= event["end_time"] <= event["frame_time"]


def test_one_camera_away_leaves_the_other_alone(story: Story) -> None:
    """Events came from the gate while the yard was away, and the gate was never offline."""
    assert story.while_away >= 2
    assert {status["state"] for status in story.payloads("gate/status")} == {"connecting", "online", "stopped"}


def test_a_camera_tells_why_it_is_away(story: Story) -> None:
    """Offline with a typed reason each time, online without one."""
    told = [(status["state"], status["reason"]) for status in story.payloads("yard/status")]
    away = {reason for state, reason in told if state == "offline"}

    assert away <= {"ended", "refused", "stalled", "timeout"}
    assert away & {"ended", "refused"}
    assert away & {"stalled", "timeout"}
    assert {reason for state, reason in told if state != "offline"} == {None}
    assert told[-1] == ("stopped", None)


def test_the_site_tells_how_it_is(story: Story) -> None:
    """Online with what runs; the will when it is killed; stopped when it is asked to."""
    states = story.payloads("home/status")
    runs = list(dict.fromkeys(status["run_id"] for status in states))
    first_online = next(status for status in states if status["state"] == "online")

    assert len(runs) == 2
    assert [status["state"] for status in states if status["run_id"] == runs[0]][-1] == "offline"
    assert states[-1]["state"] == "stopped"
    assert first_online["engine"].startswith("onnxruntime")
    assert first_online["config_digest"] == states[-1]["config_digest"]


def test_the_sequence_goes_on_after_a_power_cut(story: Story) -> None:
    """The second run begins where the first ended."""
    events = story.payloads("/events")
    first = [event["sequence"] for event in events if event["run_id"] == events[0]["run_id"]]
    second = [event["sequence"] for event in events if event["run_id"] != events[0]["run_id"]]

    assert min(second) == max(first) + 1


def test_the_metrics_tell_the_story(story: Story) -> None:
    """Reconnects by reason, frames by outcome, messages, age."""
    metrics = story.metrics[0]

    assert total(metrics, "sitewatch_camera_reconnects_total", camera="yard") >= 3
    assert total(metrics, "sitewatch_camera_reconnects_total", camera="gate") == 0
    assert total(metrics, "sitewatch_mqtt_reconnects_total", reason="lost") >= 1
    assert total(metrics, "sitewatch_mqtt_reconnects_total") >= 2
    assert total(metrics, "sitewatch_mqtt_connected") == 1
    assert total(metrics, "sitewatch_camera_up") == 2
    assert total(metrics, "sitewatch_outbox_dropped_total") == 0
    assert total(metrics, "sitewatch_frames_total", outcome="captured") > 50
    acknowledged = total(metrics, "sitewatch_messages_total", kind="event", outcome="acknowledged")
    assert total(metrics, "sitewatch_frame_age_seconds_count") == acknowledged
    assert total(metrics, "sitewatch_frame_age_seconds_bucket", le="+Inf") == acknowledged
    assert total(metrics, "model_inference_total") > 50
    assert total(metrics, "detections_total", label="red") > 20


def test_it_is_alive_and_ready(story: Story) -> None:
    """The pages say so, and the status page knows the cameras."""
    assert {page: answer.code for page, answer in story.pages.items()} == dict.fromkeys(story.pages, 200)
    assert story.pages["/readyz"].json() == {"ready": True, "missing": []}
    assert story.pages["/healthz"].json()["stalled"] == []
    status = story.pages["/api/v1/status"].json()
    assert {name: camera["state"] for name, camera in status["cameras"].items()} == {"gate": "online", "yard": "online"}
    assert status["broker"] == {"connected": True}


def test_it_stops_when_asked(story: Story) -> None:
    """Within seconds, with exit status 0."""
    assert story.exit_status == 0
    assert story.stop_s < MOST_STOP_S


def test_no_credential_gets_out(story: Story) -> None:
    """Not in the log (the most talkative one), nor in metrics, pages or messages."""
    said = [story.written, *story.metrics, *(answer.text for answer in story.pages.values())]
    said += [message.payload.decode() for messages in story.messages.values() for message in messages]

    assert len(said) > 100
    for secret in (BROKER_PASSWORD, CAMERA_PASSWORD):
        assert not [text for text in said if secret in text]
