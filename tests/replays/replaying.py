"""What tests of `sitewatch replay` share: the clip, one replay of it, and what it left."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clips.rendered import Square, Truth, TruthBox, render_clip

from agent.cli import main

SIZE_PX = (320, 180)
INPUT_PX = 160
FPS = 10
SECONDS = 6
# There from a frame to a frame, whole all the time, and gone for longer than a lost track is kept.
SQUARES = (Square(1, 0, 1.0, 3.0, (20, 20), (220, 20)), Square(2, 1, 1.5, 3.5, (240, 100), (40, 100)))


class MotRow(NamedTuple):
    """One row of a MOT file, its box as x1 y1 x2 y2."""

    frame: int
    track_id: int
    box: tuple[float, float, float, float]
    score: float
    class_id: int


class Replayed(NamedTuple):
    """A finished replay."""

    exit_status: int
    folder: Path

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    @property
    def rows(self) -> list[MotRow]:
        rows = []
        for line in (self.folder / "tracks.txt").read_text().splitlines():
            frame, track_id, x, y, width, height, score, class_id, *rest = line.split(",")
            assert rest == ["-1", "-1"]
            left, top = float(x), float(y)
            box = (left, top, left + float(width), top + float(height))
            rows.append(MotRow(int(frame), int(track_id), box, float(score), int(class_id)))
        return rows

    @property
    def video(self) -> Path:
        return self.folder / "video.mp4"

    @property
    def names(self) -> set[str]:
        """Everything in the folder, hidden files too."""
        return {path.name for path in self.folder.iterdir()}


def render(path: Path) -> Truth:
    """The clip of these tests."""
    return render_clip(path, seconds=SECONDS, fps=FPS, size=SIZE_PX, squares=SQUARES)


def replay(clip: Path, folder: Path, *options: str | Path) -> Replayed:
    """Replay a clip into a folder, with events and tracks."""
    folder.mkdir(exist_ok=True)
    wanted = ["--events", folder / "events.jsonl", "--mot", folder / "tracks.txt", *options]
    return Replayed(main(["replay", str(clip), *map(str, wanted)]), folder)


def iou(box: Sequence[float], truth: TruthBox) -> float:
    """Intersection over union of x1 y1 x2 y2."""
    left, top, right, bottom = box
    width = min(right, truth.x2) - max(left, truth.x1)
    height = min(bottom, truth.y2) - max(top, truth.y1)
    inside = max(width, 0.0) * max(height, 0.0)
    areas = (right - left) * (bottom - top) + (truth.x2 - truth.x1) * (truth.y2 - truth.y1)
    return inside / (areas - inside)


def lives(events: Sequence[dict[str, Any]]) -> dict[int, dict[str, dict[str, Any]]]:
    """Of each track its events by type."""
    found: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in events:
        found[event["track_id"]][event["type"]] = event
    return dict(found)
