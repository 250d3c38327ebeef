"""The site file's key reaches the line: only the camera with known ground is followed on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips.rendered import render_clip
from fakes.detector import FakeDetector
from prometheus_client import CollectorRegistry
from scenes.on_ground import FRAME_PX, Camera, Walker, watched

from agent.app.detection import Detection
from agent.app.happened import make_happened
from agent.app.line import Line
from agent.app.works.told import Told
from agent.clock import SystemClock
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Supervisor
from agent.settings.models import CameraSettings, SinkKind, SiteSettings
from agent.stream.frame import Frame
from trackers import Detections

CLIP_PX = (320, 180)
CAMERA = Camera()
WALKER = Walker((-3.0, 10.0), (2.0, 0.0))


def somebody_walks(frame: Frame) -> Detections:
    """A metre from one frame to the next, so that their boxes do not overlap."""
    seen = watched(CAMERA, (WALKER,), (frame.info.sequence / 2,))[0]
    return Detections(seen.boxes * CLIP_PX[0] / FRAME_PX[0], seen.scores, seen.class_ids)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six frames, two a second."""
    path = tmp_path / "clip.mp4"
    render_clip(path, squares=(), size=CLIP_PX, fps=2, seconds=3)
    return path


def test_only_the_camera_with_known_ground_follows_what_does_not_overlap(clip: Path) -> None:
    """From the site file's points and the frames' own size to identities."""
    written = {"source": str(clip), "pace": "fast", "detect_fps": None}
    points = [{"image": image, "ground": ground} for image, ground in CAMERA.plane().points]
    cameras = {
        "gate": CameraSettings.model_validate(written | {"ground_points": points}),
        "wall": CameraSettings.model_validate(written),
    }
    site = SiteSettings(site="yard", sink=SinkKind.JSONL, model="motion", cameras=cameras)
    detection = Detection(
        "fake", "fake", (), ("person",), 1, 1, 0.0, lambda: FakeDetector(answer=somebody_walks), lambda: None
    )
    clock, told = SystemClock(), list[Told]()
    happened = make_happened(CollectorRegistry(), clock)
    line = Line(site, detection, (), told.append, clock=clock, happened=happened, rng=None)
    assert Supervisor(line.ranks(), happened.pipeline, Heartbeats(), stop_within_s=5.0).run().is_clean

    def numbers(camera_id: str) -> list[list[int]]:
        tracked = [each.tracked for each in told if each.tracked is not None]
        return [each.tracks.track_ids.tolist() for each in tracked if each.frame.info.camera_id == camera_id]

    assert numbers("gate") == [[1]] * 6
    assert numbers("wall") == [[1]] + [[]] * 5
