"""Danger: SIGTERM at any time: under full load, with events on their way, and before there is anything to stop."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.watched_site import WatchedSite
from live.agent_process import AgentProcess, until
from live.sites import INPUT_PX, SIZE_PX, write_clip, write_site
from models.troubled_detectors import build_troubled

MOST_STOP_S = 8.0
MOST_EARLY_STOP_S = 3.0


@pytest.mark.mosquitto
def test_under_full_load(tmp_path: Path) -> None:
    """Everything that was seen is told and has arrived when it ends; twice, and the numbers go on."""
    with ExitStack() as stack:
        site = WatchedSite(stack, tmp_path)
        for _ in range(2):
            site.agent.start()
            site.await_events(500)
            began_s = time.monotonic()
            assert site.stop() == 0
            assert time.monotonic() - began_s < MOST_STOP_S
            site.assert_all_arrived()


def early_site(folder: Path) -> AgentProcess:
    """An agent whose model never becomes ready."""
    clip = write_clip(folder / "clip.mp4")
    model = build_troubled("never ready", folder / "model.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)
    site = write_site(
        folder, {"gate": {"source": str(clip)}}, sink="jsonl", events_file=str(folder / "events.jsonl"),
        model={"path": str(model), "engine": "onnxruntime"},
    )  # fmt: skip
    return AgentProcess(site, folder)


@pytest.mark.parametrize("pause_s", [0.0, 3.0])
def test_while_the_engine_is_made_ready(tmp_path: Path, pause_s: float) -> None:
    """It stops at once with 0, says so, and leaves no process behind, though the engine would take for ever."""
    agent = early_site(tmp_path)
    agent.spawn()
    until(lambda: " begins, site home" in agent.log, "it begins")
    time.sleep(pause_s)
    began_s = time.monotonic()
    assert agent.stop() == 0
    took_s = time.monotonic() - began_s

    assert took_s < MOST_EARLY_STOP_S
    assert "sitewatch has stopped" in agent.log
    assert "Traceback" not in agent.log
    until(lambda: not children_of(tmp_path), "no process is left", 5.0)


def children_of(folder: Path) -> list[str]:
    """Processes that have files of a folder open."""
    found = subprocess.run(
        ["find", "/proc", "-maxdepth", "3", "-path", "*/fd/*", "-lname", f"{folder}/*"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.splitlines()
