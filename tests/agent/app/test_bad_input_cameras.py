"""Cameras and clips that give nothing, or less than they promise: each has its reason, and the good one goes on."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from clips.rendered import SAMPLE_RATE_HZ, render_clip
from live.agent_process import AgentProcess, total, until
from live.sites import write_clip, write_site
from servers.ports import free_port
from servers.rtsp import RtspServer

pytestmark = pytest.mark.rtsp
RIGHT, WRONG = "r1ght-pa55word", "wr0ng-pa55word"
# Camera: the typed reason, and what the sentence says.
AWAY: dict[str, tuple[str, str]] = {
    "wrong-password": ("unauthorised", "the server refuses user and password, or asks for them: set `username`"),
    "no-password": ("unauthorised", "the server refuses user and password, or asks for them: set `username`"),
    "unknown-mount": ("not_found", "the server has nothing at this path (404)"),
    "refused": ("refused", "nobody listens at this host and port"),
    "silent": ("timeout", "the server took the connection and does not answer within"),
    "unknown-host": ("unreachable", "the name no-such-host.invalid cannot be resolved"),
    "no-video": ("no_video", "holds only audio, no video"),
    "junk": ("unsupported", "this is no video FFmpeg can read, or it is damaged or not whole"),
    "cut-mp4": ("unsupported", "this is no video FFmpeg can read, or it is damaged or not whole"),
}
ENDED = ("cut-avi", "resized")


@dataclass
class Seen:
    """What was seen from outside of one run."""

    cameras: dict[str, Any] = field(default_factory=dict)
    metrics: str = ""
    ready: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    written: str = ""
    exit_status: int | None = None


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One run with all of them, stopped when everything has been told."""
    folder, seen = tmp_path_factory.mktemp("cameras"), Seen()
    with ExitStack() as stack:
        clip = write_clip(folder / "clip.mp4")
        server = stack.enter_context(RtspServer({"good": clip}, user="viewer", password=RIGHT))
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        cameras = {**away(folder, clip, server, silent.getsockname()[1]), **ending(folder)}
        cameras["good"] = {"source": server.url("good", credentials=True)}
        site = write_site(folder, cameras, sink="jsonl", events_file=str(folder / "events.jsonl"))
        agent = stack.enter_context(AgentProcess(site, folder))
        until(lambda: is_all_told(agent), "every camera's state", 30.0)
        until(lambda: agent.metric("sitewatch_events_total", camera="good", kind="new") >= 2, "events of the good one")
        seen.cameras = agent.get("/api/v1/status").json()["cameras"]
        seen.metrics, seen.ready = agent.get("/metrics").text, agent.get("/readyz").code
        seen.exit_status = agent.stop()
        seen.written = agent.log + agent.output
        seen.events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return seen


def away(folder: Path, clip: Path, server: RtspServer, silent_port: int) -> dict[str, dict[str, Any]]:
    """Cameras that never give a picture."""
    address = server.url("good").removeprefix("rtsp://")
    login = f"viewer:{RIGHT}@127.0.0.1"
    (folder / "junk.mp4").write_text("no video\n" * 99)
    (folder / "cut.mp4").write_bytes(clip.read_bytes()[:-200])  # the table of contents is at the end
    sources = {
        "wrong-password": f"rtsp://viewer:{WRONG}@{address}",
        "no-password": server.url("good"),
        "unknown-mount": f"rtsp://{login}:{server.port}/nowhere",
        "refused": f"rtsp://{login}:{free_port()}/good",
        "silent": f"rtsp://{login}:{silent_port}/good",
        "unknown-host": f"rtsp://viewer:{RIGHT}@no-such-host.invalid/good",
        "no-video": str(write_sound(folder / "sound.mp4")),
        "junk": str(folder / "junk.mp4"),
        "cut-mp4": str(folder / "cut.mp4"),
    }
    return {camera_id: {"source": source} for camera_id, source in sources.items()}


def ending(folder: Path) -> dict[str, dict[str, Any]]:
    """Clips that are played once: one is cut short, one changes its resolution half way."""
    whole = write_clip(folder / "whole.avi")
    (folder / "cut.avi").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    parts = [folder / "small.ts", folder / "large.ts"]
    render_clip(parts[0], seconds=2, size=(320, 180))
    render_clip(parts[1], seconds=2, size=(640, 360))
    (folder / "resized.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    files = {"cut-avi": folder / "cut.avi", "resized": folder / "resized.ts"}
    return {camera_id: {"source": str(path), "playback": "once"} for camera_id, path in files.items()}


def write_sound(path: Path) -> Path:
    """A second of silence, and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=SAMPLE_RATE_HZ)
        frame.sample_rate = SAMPLE_RATE_HZ
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def is_all_told(agent: AgentProcess) -> bool:
    """Whether every camera is where it will stay."""
    cameras = agent.get("/api/v1/status").json()["cameras"]
    wanted = {**dict.fromkeys(AWAY, "offline"), **dict.fromkeys(ENDED, "ended"), "good": "online"}
    return {camera_id: camera["state"] for camera_id, camera in cameras.items()} == wanted


@pytest.mark.parametrize("camera_id", AWAY)
def test_a_camera_that_is_away(camera_id: str, seen: Seen) -> None:
    """Reason and sentence stand in the status and in the log, there once; attempts are counted under the reason."""
    reason, told = AWAY[camera_id]
    camera = seen.cameras[camera_id]

    assert (camera["reason"], camera["fps"]) == (reason, None)
    assert told in camera["detail"]
    lines = [line for line in seen.written.splitlines() if f"{camera_id} is lost ({reason}): " in line]
    assert len(lines) == 1
    assert told in lines[0]
    attempts = total(seen.metrics, "sitewatch_camera_reconnects_total", camera=camera_id)
    assert attempts == total(seen.metrics, "sitewatch_camera_reconnects_total", camera=camera_id, reason=reason) >= 1
    assert total(seen.metrics, "sitewatch_camera_up", camera=camera_id) == 0


def test_the_good_one_goes_on(seen: Seen) -> None:
    """The agent is ready, the good camera was never lost, and the agent stops well."""
    assert seen.ready == 200
    assert total(seen.metrics, "sitewatch_camera_up", camera="good") == 1
    assert total(seen.metrics, "sitewatch_camera_reconnects_total", camera="good") == 0
    assert {event["label"] for event in seen.events if event["camera"] == "good"} == {"red", "blue"}
    assert seen.exit_status == 0


def test_a_clip_cut_short(seen: Seen) -> None:
    """What is there is used; log and status say how much is missing."""
    assert "is cut short: " in seen.cameras["cut-avi"]["detail"]
    assert "frames are there" in seen.cameras["cut-avi"]["detail"]
    assert "cut-avi: " in next(line for line in seen.written.splitlines() if "is cut short: " in line)
    assert [event for event in seen.events if event["camera"] == "cut-avi"]


def test_a_clip_of_two_resolutions(seen: Seen) -> None:
    """Every frame of both counts, and events are in the pixels of their own frame."""
    assert total(seen.metrics, "sitewatch_frames_total", camera="resized", outcome="captured") == 40
    assert "resized delivers: 320x180" in seen.written
    assert "resized delivers: 640x360" in seen.written
    for event in (event for event in seen.events if event["camera"] == "resized"):
        assert event["frame_size"] in ([320, 180], [640, 360])
        assert all(0 <= value <= 1 for value in event["box_fraction"])


def test_no_credential_and_no_traceback(seen: Seen) -> None:
    """Not in log, status, metrics or events, of the right password nor of the wrong one."""
    said = [seen.written, seen.metrics, json.dumps(seen.cameras), json.dumps(seen.events)]

    assert all(said)
    assert not [secret for secret in (RIGHT, WRONG) for text in said if secret in text]
    assert "Traceback" not in seen.written
