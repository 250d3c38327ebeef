"""Running without a broker of one's own, and without any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakes.payload_schemas import of_topic, validator
from live.agent_process import AgentProcess, until
from live.sites import write_clip, write_site
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from servers.ports import free_port

CLIP_S = 4
END_S = 30.0


def clip_site(folder: Path, **more: Any) -> Path:
    """A site whose only camera is a clip, played once as fast as it goes; its run ends with it."""
    clip = write_clip(folder / "clip.mp4", seconds=CLIP_S)
    camera = {"source": str(clip), "pace": "fast", "detect_fps": None}
    return write_site(folder, {"gate": camera}, sink="jsonl", **more)


def assert_a_run(events: Sequence[dict[str, Any]], *, first: int) -> None:
    """Both squares came and went, and the numbers go on from `first`."""
    for event in events:
        validator("event").validate(event)
    assert [event["sequence"] for event in events] == list(range(first, first + len(events)))
    assert sorted((event["type"], event["label"]) for event in events if event["type"] != "update") == [
        ("end", "blue"), ("end", "red"), ("new", "blue"), ("new", "red"),
    ]  # fmt: skip


def test_the_embedded_broker(tmp_path: Path) -> None:
    """With `broker: embedded` any client on this machine gets valid events and statuses, until the goodbye."""
    address = Mosquitto(tmp_path / "nobody")  # never started: only where the client looks
    camera = {"source": str(write_clip(tmp_path / "clip.mp4")), "playback": "loop"}
    site = write_site(tmp_path, {"gate": camera}, broker="embedded", embedded_broker_port=address.port)
    with AgentProcess(site, tmp_path) as agent:
        with Subscriber(address, version="3.1.1") as subscriber:
            subscriber.wait(lambda messages: sum(m.topic.endswith("/events") for m in messages) >= 4)
            assert agent.stop() == 0
            until(lambda: subscriber.on("home/status")[-1].json()["state"] == "stopped", "the goodbye")
            messages = subscriber.messages
        assert "error" not in agent.log

    assert {message.topic.removeprefix("sitewatch/home/") for message in messages} == {
        "status", "gate/status", "gate/events", "gate/detections",
    }  # fmt: skip
    for message in messages:
        of_topic(message.topic).validate(message.json())


def test_events_in_a_file(tmp_path: Path) -> None:
    """With `sink: jsonl` a run over a clip ends by itself, and the next one appends and counts on."""
    events_file = tmp_path / "events.jsonl"
    agent = AgentProcess(clip_site(tmp_path, events_file=str(events_file)), tmp_path)
    runs = []
    for _ in range(2):
        agent.spawn()
        assert agent.wait(END_S) == 0, agent.log
        runs.append([json.loads(line) for line in events_file.read_text().splitlines()])

    before = len(runs[0])
    assert_a_run(runs[0], first=1)
    assert runs[1][:before] == runs[0]
    assert_a_run(runs[1][before:], first=before + 1)
    assert len({event["run_id"] for event in runs[1]}) == 2


def test_events_on_standard_output(tmp_path: Path) -> None:
    """`events_file: -` writes events and nothing else to standard output."""
    agent = AgentProcess(clip_site(tmp_path, events_file="-"), tmp_path)
    agent.spawn()
    assert agent.wait(END_S) == 0, agent.log

    assert_a_run([json.loads(line) for line in agent.output.splitlines()], first=1)


def test_one_port_for_two(tmp_path: Path) -> None:
    """A second agent on the same HTTP port ends with 75 and says which port, and the first goes on."""
    port = free_port()
    camera = {"source": str(write_clip(tmp_path / "clip.mp4")), "playback": "loop"}
    more = {"sink": "jsonl", "events_file": str(tmp_path / "events.jsonl"), "model": "motion", "http": {"port": port}}
    (tmp_path / "second").mkdir()
    second = AgentProcess(write_site(tmp_path / "second", {"gate": camera}, **more), tmp_path / "second")
    with AgentProcess(write_site(tmp_path, {"gate": camera}, **more), tmp_path) as first:
        second.spawn()

        assert second.wait(END_S) == 75
        assert str(port) in second.log
        assert first.get("/healthz").code == 200
        assert first.stop() == 0


def test_no_state_folder(tmp_path: Path) -> None:
    """Where the state folder cannot be made it ends with 73, in one sentence without a traceback."""
    (tmp_path / "taken").write_text("a file")
    agent = AgentProcess(clip_site(tmp_path, state_dir=str(tmp_path / "taken" / "state")), tmp_path)
    agent.spawn()

    assert agent.wait(END_S) == 73
    assert str(tmp_path / "taken") in agent.log
    assert "Traceback" not in agent.log
