"""Danger: the cameras send more than this machine can detect in. Frames go at the slot, fairly, and the site tells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from clips.rendered import Square, render_clip
from live.agent_process import AgentProcess, total, until
from live.sites import INPUT_PX, SIZE_PX, write_site
from models.slow_detector import build_slow
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber

pytestmark = pytest.mark.mosquitto
SLOW_FPS, FAST_FPS = 5, 60
INFERENCE_S = 0.06
SHARE_S = 4.0
IN_FLIGHT = 12


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def clip_camera(folder: Path, name: str, fps: int, **more: Any) -> dict[str, Any]:
    """A clip that plays the part of a camera with so many frames a second, all of them due."""
    square = Square(1, 0, 0.0, 4.0, (0, 20), (200, 20))
    render_clip(folder / f"{name}.mp4", seconds=4, fps=fps, size=SIZE_PX, squares=(square,))
    return {"source": f"{name}.mp4", "playback": "loop", "detect_fps": None, **more}


def overloaded_site(folder: Path, cameras: dict[str, Any], inference_s: float, **more: Any) -> Path:
    """A site whose model takes its time."""
    path = build_slow(folder / "slow.onnx", inference_s, input_size=INPUT_PX, frame_px=SIZE_PX)
    return write_site(folder, cameras, model={"path": str(path), "engine": "onnxruntime"}, **more)


def outcomes(metrics: str, camera: str) -> dict[str, float]:
    """What became of a camera's frames."""
    kinds = ("captured", "not_due", "detected", "dropped_slot", "dropped_stale", "dropped_inference_failed")
    return {kind: total(metrics, "sitewatch_frames_total", camera=camera, outcome=kind) for kind in kinds}


def test_more_than_can_be_detected(tmp_path: Path, stack: ExitStack) -> None:
    """60 frames a second beside 5: the slow camera keeps its frames, the fast one has the rest, the site tells why."""
    broker = stack.enter_context(Mosquitto(tmp_path / "broker"))
    subscriber = stack.enter_context(Subscriber(broker))
    cameras = {name: clip_camera(tmp_path, name, fps) for name, fps in (("slow", SLOW_FPS), ("fast", FAST_FPS))}
    site = overloaded_site(tmp_path, cameras, INFERENCE_S, broker={"host": broker.host, "port": broker.port})
    agent = stack.enter_context(AgentProcess(site, tmp_path))
    until(lambda: outcomes(agent.get("/metrics").text, "fast")["dropped_slot"] > 20, "saturation")

    before, began_s = agent.get("/metrics").text, time.monotonic()
    time.sleep(SHARE_S)
    after, took_s = agent.get("/metrics").text, time.monotonic() - began_s
    detected = {n: outcomes(after, n)["detected"] - outcomes(before, n)["detected"] for n in cameras}
    captured_slow = outcomes(after, "slow")["captured"] - outcomes(before, "slow")["captured"]
    even = sum(detected.values()) / 2
    assert detected["slow"] >= 0.8 * min(even, captured_slow) - 1, (detected, captured_slow, took_s)
    assert detected["fast"] > 0.8 * even
    for name in cameras:
        became = outcomes(after, name)
        assert became["captured"] - sum(list(became.values())[1:]) <= IN_FLIGHT

    assert_overload_is_told(agent, subscriber)


def assert_overload_is_told(agent: AgentProcess, subscriber: Subscriber) -> None:
    """In the retained status, the metric, the status page and once in the log."""
    until(lambda: _healths(subscriber)[-1:] == ["overloaded"], "told", 20.0)
    status = agent.get("/api/v1/status").json()["site"]["health"]

    assert any(reason.startswith("fast: detection keeps up with") for reason in status["reasons"])
    assert status["state"] == "overloaded"
    assert agent.metric("sitewatch_site_state", state="overloaded") == 1
    assert agent.metric("sitewatch_site_state") == 1
    assert agent.log.count("the site is overloaded") <= 2
    assert agent.stop() == 0


def _healths(subscriber: Subscriber) -> list[str]:
    told = [message.json()["health"] for message in subscriber.on("home/status")]
    return [health["state"] for health in told if health]


def test_frames_that_waited_too_long(tmp_path: Path, stack: ExitStack) -> None:
    """Three cameras wait for one slow engine: what is older than allowed is dropped as stale; nobody is starved."""
    rates = {"a": 5, "b": 6, "c": 7}  # of rates of their own: in step, one would always come just behind another
    cameras = {name: clip_camera(tmp_path, name, fps, max_frame_age="100ms") for name, fps in rates.items()}
    site = overloaded_site(tmp_path, cameras, 0.12, sink="jsonl", events_file=str(tmp_path / "events.jsonl"))
    agent = stack.enter_context(AgentProcess(site, tmp_path))

    def enough(kind: str, least: int) -> bool:
        metrics = agent.get("/metrics").text
        return min(outcomes(metrics, name)[kind] for name in rates) >= least

    until(lambda: total(agent.get("/metrics").text, "sitewatch_frames_total", outcome="dropped_stale") >= 5, "stale")
    until(lambda: enough("detected", 4), "each camera is detected in")
    assert "(stale)" in agent.log
    assert agent.stop() == 0
