"""Site files for live tests, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from clips.rendered import Square, render_clip
from models.square_detectors import build_detector

SIZE_PX = (320, 180)
INPUT_PX = 160
CAMERA = {
    "open_timeout": "3s", "read_timeout": "1s", "stall_timeout": "1s", "retry_min": "100ms", "retry_max": "500ms",
}  # fmt: skip


def write_site(folder: Path, cameras: Mapping[str, Mapping[str, Any]], **more: Any) -> Path:
    """A site `home` with a model for squares, everything it keeps under `folder`, and quick to give up on a track."""
    model = build_detector("yolov8", folder / "squares.onnx", input_size=INPUT_PX, frame_px=SIZE_PX)
    site = {
        "site": "home",
        "model": {"path": str(model), "engine": "onnxruntime"},
        "cameras": {name: {**CAMERA, **camera} for name, camera in cameras.items()},
        "tracking": {"lost_patience": "500ms"},
        "events": {"update_every": "500ms"},
        "http": {"port": 0},
        "state_dir": str(folder / "state"),
        **more,
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site))
    return path


def write_clip(path: Path, *, seconds: float = 4) -> Path:
    """A red square comes and goes, and a blue one: each loop has two tracks that begin and end."""
    squares = (
        Square(1, 0, 0.2, seconds - 1.2, (0, 20), (200, 20)),
        Square(2, 1, 0.8, seconds - 1.6, (240, 100), (40, 100)),
    )
    render_clip(path, seconds=seconds, fps=10, size=SIZE_PX, squares=squares)
    return path
