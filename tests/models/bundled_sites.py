"""Sites whose model is a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from live.sites import CAMERA

from agent.settings.models import ModelSettings


def settings(path: Path, **model: Any) -> ModelSettings:
    """A site's model section."""
    return ModelSettings.model_validate({"path": path, **model})


def write_site(bundle: Path, **more: Any) -> Path:
    """A site with one camera that runs the bundle."""
    site = {
        "site": "home",
        "sink": "jsonl",
        "model": {"path": str(bundle)},
        "cameras": {"gate": {**CAMERA, "source": "rtsp://127.0.0.1:9/gate"}},
        "http": {"port": 0},
        "log": {"format": "json"},
        "state_dir": str(bundle.parent / "state"),
        **more,
    }
    path = bundle.with_name("site.yaml")
    path.write_text(yaml.safe_dump(site))
    return path


def thresholds(plan: Any) -> list[float]:
    """Of every class, as the decoder has them."""
    return [round(float(value), 3) for value in plan.decoder._limits.score_thresholds]
