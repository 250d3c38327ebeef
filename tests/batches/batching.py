"""What tests of `sitewatch batch` share: clips, runs in this process or a child, and what they left."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import yaml
from clips.rendered import render_clip
from models.square_detectors import build_detector
from replays.replaying import INPUT_PX, SIZE_PX

from agent.cli import main

# Wider than H.264 encoders take.
TOO_WIDE_PX = (16_640, 16)
REPOSITORY = Path(__file__).resolve().parents[2]
# Differ from run to run: ids, and wall time.
OF_THE_RUN = ("event_id", "run_id", "id", "occurred_at")
TIMES = ("frame_time", "start_time", "end_time")


class Batched(NamedTuple):
    """A finished batch."""

    exit_status: int
    folder: Path

    @property
    def names(self) -> set[str]:
        """Everything in the folder, hidden files too."""
        return {path.name for path in self.folder.iterdir()}

    @property
    def summary(self) -> dict[str, Any]:
        """As it was written."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return found

    @property
    def states(self) -> dict[str, str]:
        """By clip's name."""
        return {clip["name"]: clip["state"] for clip in self.summary["clips"]}

    def reason(self, name: str) -> str:
        """Of one clip."""
        return str(next(clip["reason"] for clip in self.summary["clips"] if clip["name"] == name))

    def record(self, name: str) -> dict[str, Any]:
        """What is written down of one clip."""
        found: dict[str, Any] = json.loads((self.folder / f"{name}.done.json").read_text())
        return found


def results_of(*names: str, endings: Sequence[str] = ("mp4", "events.jsonl", "done.json")) -> set[str]:
    """File names of clips that are done, and the summary."""
    return {f"{name}.{ending}" for name in names for ending in endings} | {"summary.json"}


def batch(clips: Sequence[str | Path], out: Path, *options: str | Path) -> Batched:
    """Run in this process, with the motion detector where nothing else is asked for."""
    chosen = options if {"--model", "--site"} & set(options) else ("--model", "motion", *options)
    return Batched(main(["batch", *map(str, clips), "--out", str(out), *map(str, chosen)]), out)


def start_batch(clips: Sequence[str | Path], out: Path, *options: str | Path) -> subprocess.Popen[bytes]:
    """Run in a process of its own."""
    command = [sys.executable, "-m", "agent", "batch", *map(str, clips), "--out", str(out), *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY)


def draw_clips(folder: Path, **seconds: float) -> list[Path]:
    """Clips of these names, so many seconds each."""
    folder.mkdir(exist_ok=True)
    for name, length in seconds.items():
        render_clip(folder / f"{name}.mp4", seconds=length, size=SIZE_PX)
    return [folder / f"{name}.mp4" for name in seconds]


def write_wide_clip(path: Path) -> None:
    """Two pictures, which can be decoded and looked at, but not be written as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height = TOO_WIDE_PX
        stream.pix_fmt = "yuvj420p"
        for _ in range(2):
            picture = np.zeros((TOO_WIDE_PX[1], TOO_WIDE_PX[0], 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def site_of_squares(folder: Path) -> Path:
    """A site file with a detector that knows the squares, of an open batch."""
    model = build_detector("yolov8", folder / "squares.onnx", input_size=INPUT_PX, frame_px=SIZE_PX, batch="dynamic")
    return site_of(model, folder)


def site_of(model: Path, folder: Path, **more: str) -> Path:
    """A site file with this model on one engine."""
    content = {
        "site": "yard",
        "broker": {"host": "broker.invalid"},
        "model": {"path": str(model), "engine": "onnxruntime", **more},
        "cameras": {"gate": {"source": "rtsp://camera.invalid/"}},
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(content))
    return folder / "site.yaml"


def events_in(path: Path) -> list[dict[str, Any]]:
    """Without what belongs to the run, and without times."""
    return [{key: value for key, value in event.items() if key not in (*OF_THE_RUN, *TIMES)} for event in _lines(path)]


def times_in(path: Path) -> list[list[float]]:
    """Of each event, in seconds from the first one on; what has not ended ends then."""
    events = _lines(path)
    began_s = events[0]["start_time"] if events else 0.0
    return [[(event[key] or began_s) - began_s for key in TIMES] for event in events]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
