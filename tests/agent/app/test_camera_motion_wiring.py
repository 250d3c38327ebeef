"""The site file's key reaches the line: only the camera that asks for it has its motion estimated."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.detector import FakeDetector
from prometheus_client import CollectorRegistry

from agent.app.detection import Detection
from agent.app.happened import make_happened
from agent.app.line import Line
from agent.clock import SystemClock
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Supervisor
from agent.settings.models import CameraSettings, SinkKind, SiteSettings

FRAMES = 41


def made_up() -> Detection:
    """A detector that sees nothing."""
    return Detection("fake", "fake", (), ("person",), 1, 1, 0.0, FakeDetector, lambda: None)


def run(clip: Path) -> CollectorRegistry:
    """Play the clip on two cameras to its end; the metrics of the run."""
    written = {"source": str(clip), "pace": "fast", "detect_fps": None}
    cameras = {
        "mast": CameraSettings.model_validate(written | {"camera_motion": "compensate"}),
        "wall": CameraSettings.model_validate(written),
    }
    site = SiteSettings(site="yard", sink=SinkKind.JSONL, model="motion", cameras=cameras)
    registry, clock = CollectorRegistry(), SystemClock()
    happened = make_happened(registry, clock)
    line = Line(site, made_up(), (), lambda _told: None, clock=clock, happened=happened, rng=None)
    assert Supervisor(line.ranks(), happened.pipeline, Heartbeats(), stop_within_s=5.0).run().is_clean
    return registry


@pytest.mark.assets
def test_each_frame_of_a_moving_camera_is_estimated_and_no_other(assets: Path) -> None:
    """Through capture, detection and tracking, on the decoder's own pictures."""
    registry = run(assets / "videos" / "person-bicycle-car_480x270.mp4")

    def count(camera: str, finding: str) -> float | None:
        labels = {"camera": camera, "finding": finding}
        return registry.get_sample_value("sitewatch_camera_motion_estimates_total", labels)

    assert count("mast", "begun") == 1
    assert count("mast", "still") == FRAMES - 1
    assert count("wall", "begun") is None
