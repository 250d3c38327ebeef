"""What every detector promises: the fake, the one that runs a model, and motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.detector import FakeDetector
from models.detecting import make_plan, make_teller, open_detector, square_frame
from models.square_detectors import build_detector

from agent.detect.detector import Detector
from agent.detect.motion import MotionDetector
from agent.detect.moving_regions import MotionLimits
from agent.telemetry.detect import DetectHappenings


def fake(_folder: Path) -> Iterator[Detector]:
    yield FakeDetector()


def model(folder: Path) -> Iterator[Detector]:
    with open_detector(make_plan(build_detector("yolov8", folder / "m.onnx"))) as detector:
        yield detector


def motion(_folder: Path) -> Iterator[Detector]:
    yield MotionDetector(MotionLimits(), DetectHappenings(make_teller()))


@pytest.fixture(params=[fake, model, motion], ids=lambda make: make.__name__)
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Detector]:
    """Each kind of detector in turn."""
    make: Callable[[Path], Iterator[Detector]] = request.param
    yield from make(tmp_path)


def test_every_frame_gets_an_answer(detector: Detector) -> None:
    """As many answers as frames, in their order, each with labels for its class ids."""
    found = detector.detect([square_frame(), square_frame(())])

    assert len(found) == 2
    assert all((detections.class_ids < len(detector.labels)).all() for detections in found)


def test_no_frames_get_no_answers(detector: Detector) -> None:
    """An empty call is allowed."""
    assert list(detector.detect([])) == []


def test_labels_stay(detector: Detector) -> None:
    """They are there before the first frame and do not change."""
    before = detector.labels
    detector.detect([square_frame()])

    assert before
    assert detector.labels == before


def test_closing_twice_is_allowed(detector: Detector) -> None:
    """The second time nothing happens."""
    detector.close()
    detector.close()
