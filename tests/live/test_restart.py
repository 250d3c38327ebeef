"""The agent stops, is killed and starts again while two squares stay in view: with keeping on they stay themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clips.rendered import Square, render_clip
from fakes.payload_schemas import of_topic
from live.agent_process import AgentProcess, until
from live.sites import SIZE_PX, write_site
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from servers.rtsp import RtspServer

pytestmark = [pytest.mark.rtsp, pytest.mark.mosquitto]
IN_VIEW = 2


@dataclass
class Yard:
    """A camera with two squares that stand still for ever, a broker, a subscriber and the agent."""

    agent: AgentProcess
    subscriber: Subscriber
    state: Path

    def events(self) -> list[Any]:
        """Events so far, doubles left out."""
        found = [message.json() for message in self.subscriber.on("yard/events")]
        return list({event["event_id"]: event for event in found}.values())

    def objects(self) -> set[tuple[str, int]]:
        """Id and number of what the newest frame shows."""
        tracks = self.subscriber.on("yard/detections")[-1].json()["tracks"]
        return {(track["id"], track["track_id"]) for track in tracks}

    def await_frames(self) -> None:
        """Wait until frames of this run show both squares."""
        before = len(self.subscriber.on("yard/detections"))
        until(lambda: len(self.subscriber.on("yard/detections")) > before + 5, "frames are told")
        until(lambda: len(self.objects()) >= IN_VIEW, "both squares are told")


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    squares = (Square(1, 0, 0.0, 4.0, (40, 20), (40, 20)), Square(2, 1, 0.0, 4.0, (200, 90), (200, 90)))
    render_clip(tmp_path / "clip.mp4", seconds=4, fps=10, size=SIZE_PX, squares=squares)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(tmp_path / "broker"))
        camera = stack.enter_context(RtspServer({"yard": tmp_path / "clip.mp4"}))
        subscriber = stack.enter_context(Subscriber(broker))
        site = write_site(
            tmp_path, {"yard": {"source": camera.url("yard")}}, broker={"host": broker.host, "port": broker.port},
            tracking={"lost_patience": "30s", "keep_over_restart": "on"},
        )  # fmt: skip
        yield Yard(stack.enter_context(AgentProcess(site, tmp_path)), subscriber, tmp_path / "state")


def test_tracks_live_on_over_a_restart(yard: Yard) -> None:
    """The same ids after a stop and after a kill, without `end` or `new`; ended at the start when nothing is left."""
    until(lambda: sum(event["type"] == "new" for event in yard.events()) >= IN_VIEW, "both squares are told")
    yard.await_frames()
    objects = yard.objects()
    assert yard.agent.stop() == 0
    yard.agent.start()
    yard.await_frames()
    assert yard.objects() == objects
    until(lambda: (yard.state / "tracks.json").stat().st_size > 1000, "kept")
    yard.agent.kill()
    yard.agent.start()
    yard.await_frames()
    assert yard.objects() == objects
    until(lambda: len({event["run_id"] for event in yard.events()}) == 3, "each run has told an update")
    told = [event["type"] for event in yard.events()]
    assert (told.count("new"), told.count("end")) == (IN_VIEW, 0)

    yard.agent.stop()
    (yard.state / "tracks.json").unlink()
    yard.agent.start()
    until(lambda: sum(event["type"] == "end" for event in yard.events()) == IN_VIEW, "both are ended at the start")
    yard.await_frames()
    assert not yard.objects() & objects
    ended = {(event["id"], event["track_id"]) for event in yard.events() if event["type"] == "end"}
    assert ended == objects
    assert [event["sequence"] for event in yard.events()] == list(range(1, len(yard.events()) + 1))
    for message in yard.subscriber.messages:
        of_topic(message.topic).validate(message.json())
