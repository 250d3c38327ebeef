from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clips.rendered import render_clip

REPOSITORY = Path(__file__).parents[3]
DEADLINE_S = 60.0


def start_demo(*arguments: str) -> subprocess.Popen[str]:
    """The demo as scripts/demo starts it, without its environment being made."""
    command = [sys.executable, "-m", "agent.demo", *arguments]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )


def test_the_demo_prints_what_moves(tmp_path: Path) -> None:
    """A clip, the motion detector, the embedded broker: events are printed, and Ctrl-C ends it cleanly."""
    render_clip(tmp_path / "clip.mp4", seconds=6)
    demo = start_demo(str(tmp_path / "clip.mp4"), "--model", "motion", "--seconds", "50")
    assert demo.stdout is not None
    said: list[str] = []
    until_s = time.monotonic() + DEADLINE_S

    for line in demo.stdout:
        said.append(line)
        if "appeared" in line or time.monotonic() > until_s:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=DEADLINE_S)
    text = "".join(said) + rest

    assert demo.returncode == 0, text
    assert re.search(r"motion \d+ appeared at the", text)
    assert "metrics http://127.0.0.1:" in text
    assert "demo: stopped. Events:" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.mp4", "--model", "motion"], "nowhere.mp4: no such file"),
        (["rtsp://127.0.0.1:9/x", "--model", "nowhere.onnx"], "nowhere.onnx: no such file"),
    ],
)
def test_what_is_missing_is_told(arguments: list[str], told: str) -> None:
    """A file that is not there ends the demo with status 66 and a sentence."""
    demo = start_demo(*arguments)
    text, _ = demo.communicate(timeout=DEADLINE_S)

    assert demo.returncode == 66
    assert told in text
