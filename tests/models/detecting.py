"""From a model file and pixels to detections, as the agent does it: what detection tests share."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from clips.rendered import TruthBox, draw
from fakes.clock import BEGINNING
from prometheus_client import CollectorRegistry

from agent.clock import SystemClock
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.model_detector import ModelDetector
from agent.settings.models import DetectionSettings, ModelSettings
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import ClockSource, Frame, FrameInfo
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller
from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest
from devices.inventory import Accelerator, AcceleratorKind
from trackers import Detections

CPU = Accelerator(kind=AcceleratorKind.CPU, name="CPU")
RUNTIMES = ("onnxruntime", "openvino")
FRAME_PX = (640, 360)
# One red square, and below it a blue one, as rendered clips have them.
SQUARES = (TruthBox(1, 0, 164, 72, 228, 136), TruthBox(2, 1, 402, 216, 466, 280))


def make_frame(pixels: npt.NDArray[np.uint8], camera_id: str = "gate", sequence: int = 1) -> Frame:
    """A frame of BGR pixels."""
    height, width = pixels.shape[:2]
    info = FrameInfo(camera_id, sequence, BEGINNING, ClockSource.HOST, sequence / 10, width, height)
    return Frame(info, ArrayPicture(pixels))


def square_frame(squares: Sequence[TruthBox] = SQUARES, *, size: tuple[int, int] = FRAME_PX, seed: int = 0) -> Frame:
    """A frame with squares on noisy grey."""
    return make_frame(draw(squares, size, seed=seed))


def make_plan(path: Path, model: dict[str, Any] | None = None, **detection: Any) -> DetectionPlan:
    """The plan of a model, with what the site file would say of it."""
    return plan_model(path, ModelSettings(path=path, **(model or {})), DetectionSettings(**detection))


def make_teller() -> Teller:
    """A teller with a registry of its own."""
    return Teller(CollectorRegistry(), logging.getLogger("test"))


@contextmanager
def open_detector(
    plan: DetectionPlan, runtime: str = "onnxruntime", teller: Teller | None = None
) -> Iterator[ModelDetector]:
    """A verified detector on a real run-time, closed at the end with its engine."""
    teller = teller or make_teller()
    request = EngineRequest(model=plan.path, accelerator=CPU, image=plan.image, batch=plan.engine_batch)
    engine = ENGINES[runtime].load(request)
    detector = ModelDetector(
        engine.session(),
        plan,
        runtime=runtime,
        clock=SystemClock(),
        happened=DetectHappenings(teller),
        stages=PipelineHappenings(teller),
    )
    try:
        detector.verify()
        yield detector
    finally:
        detector.close()
        engine.close()


def assert_finds(detections: Detections, squares: Sequence[TruthBox], *, within_px: float = 2.0) -> None:
    """Every square is found once, where it is, as what it is, and nothing else."""
    found = sorted(zip(detections.class_ids.tolist(), detections.boxes.tolist(), strict=True))
    truth = sorted((square.class_id, [square.x1, square.y1, square.x2, square.y2]) for square in squares)

    assert [class_id for class_id, _ in found] == [class_id for class_id, _ in truth]
    for (_, box), (_, expected) in zip(found, truth, strict=True):
        np.testing.assert_allclose(box, expected, atol=within_px)
