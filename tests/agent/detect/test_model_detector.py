"""The model detector runs batches, holds answers against the plan, and tells what happens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes.clock import FakeClock
from models.detecting import SQUARES, assert_finds, make_plan, make_teller, open_detector, square_frame
from models.square_detectors import LABELS, build_detector

from agent.detect.detection_plan import DetectionPlan
from agent.detect.model_detector import ModelDetector
from agent.errors import DetectionError, ModelError
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller
from devices.engines.engine import Session, Tensors
from devices.errors import InferenceError

Answer = Tensors | InferenceError


class ScriptedSession:
    """A session that gives what it is told, and remembers what it got."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.shapes: list[dict[str, tuple[int, ...]]] = []
        self.closed = 0

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """The answer, whatever was asked."""
        self.shapes.append({name: tensor.shape for name, tensor in tensors.items()})
        if isinstance(self.answer, InferenceError):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class WatchedSession:
    """A real session, and how many pictures each inference had."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rows: list[int] = []

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Note it and pass it on."""
        self.rows.append(len(tensors["images"]))
        return self._session.infer(tensors)

    def close(self) -> None:
        """Pass it on."""
        self._session.close()


def detector_of(plan: DetectionPlan, session: ScriptedSession, teller: Teller | None = None) -> ModelDetector:
    """A detector on a scripted session."""
    teller = teller or make_teller()
    return ModelDetector(
        session,
        plan,
        runtime="scripted",
        clock=FakeClock(),
        happened=DetectHappenings(teller),
        stages=PipelineHappenings(teller),
    )


@pytest.fixture
def plan(tmp_path: Path) -> DetectionPlan:
    """Of a yolov8 with a batch of one."""
    return make_plan(build_detector("yolov8", tmp_path / "m.onnx"))


def nothing(count: int = 1, value: float = 0.0) -> Tensors:
    """An output of that yolov8 that saw nothing."""
    return {"output0": np.full((count, 6, 2100), value, np.float32)}


WRONG: dict[str, tuple[Answer, str]] = {
    "another name": ({"output": nothing()["output0"]}, "expected output output0 .* got none"),
    "another shape": ({"output0": np.zeros((1, 6, 2000), np.float32)}, "got shape"),
    "another batch": (nothing(2), "got shape"),
    "not a number": (nothing(value=float("nan")), "not a number"),
    "infinity": (nothing(value=float("inf")), "not a number, or infinite"),
    "a failure": (InferenceError("out of memory"), "out of memory"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_is_an_error(case: str, plan: DetectionPlan) -> None:
    """At load it refuses the model, later it fails that inference; it is never an empty result."""
    answer, told = WRONG[case]
    detector = detector_of(plan, ScriptedSession(answer))

    with pytest.raises(ModelError, match=told):
        detector.verify()
    with pytest.raises(DetectionError, match=told):
        detector.detect([square_frame()])


def test_the_next_inference_may_work(plan: DetectionPlan) -> None:
    """One failure leaves nothing behind."""
    session = ScriptedSession(InferenceError("busy"))
    detector = detector_of(plan, session)
    with pytest.raises(DetectionError):
        detector.detect([square_frame()])

    session.answer = nothing()

    assert len(detector.detect([square_frame()])[0]) == 0


def test_no_frames_are_no_inference(plan: DetectionPlan) -> None:
    """An empty batch costs nothing."""
    session = ScriptedSession(nothing())

    assert detector_of(plan, session).detect([]) == []
    assert session.shapes == []


@pytest.mark.parametrize(
    ("batch", "asked", "rows"), [(1, 1, [1] * 5), ("dynamic", 2, [2, 2, 1]), (2, 1, [2, 2, 2]), ("dynamic", 8, [5])]
)
def test_frames_go_in_batches(batch: Any, asked: int, rows: list[int], tmp_path: Path) -> None:
    """An open batch takes what there is, a fixed one is filled up, and every frame gets its own answer."""
    plan = make_plan(build_detector("yolov8", tmp_path / "m.onnx", batch=batch), {"batch": asked})
    frames = [square_frame(SQUARES[: number % 3]) for number in range(5)]

    with open_detector(plan) as detector:
        watched = detector._session = WatchedSession(detector._session)
        found = detector.detect(frames)

    assert watched.rows == rows
    for number, detections in enumerate(found):
        assert_finds(detections, SQUARES[: number % 3])


def test_sizes_are_given_to_models_that_ask(tmp_path: Path) -> None:
    """The size boxes shall be in is given with each picture of the batch."""
    path = build_detector("detr", tmp_path / "m.onnx", batch="dynamic")
    plan = make_plan(path, {"labels": LABELS, "batch": 3})
    answer: Tensors = {
        "labels": np.zeros((2, 20), np.int64),
        "boxes": np.zeros((2, 20, 4), np.float32),
        "scores": np.zeros((2, 20), np.float32),
    }
    session = ScriptedSession(answer)

    detector_of(plan, session).detect([square_frame()] * 2)

    assert session.shapes == [{"images": (2, 320, 320, 3), "orig_target_sizes": (2, 2)}]


def test_close_may_come_twice(plan: DetectionPlan) -> None:
    """The session is let go of."""
    session = ScriptedSession(nothing())
    detector = detector_of(plan, session)

    detector.close()
    detector.close()

    assert session.closed >= 1


def test_what_happens_is_told(plan: DetectionPlan) -> None:
    """Inferences, their size and time, and detections by camera and label are counted."""
    teller = make_teller()

    with open_detector(plan, teller=teller) as detector:
        detector.detect([square_frame(), square_frame()])

    value = teller.registry.get_sample_value
    engine = {"model": "m", "runtime": "onnxruntime"}
    assert value("model_inference_total", engine) == 2
    assert value("model_inference_latency_seconds_count", engine) == 2
    assert value("sitewatch_inference_batch_size_sum", engine) == 2
    assert value("detections_total", {"camera": "gate", "label": "blue"}) == 2
    assert value("sitewatch_stage_duration_seconds_count", {"stage": "postprocess", "camera": "gate"}) == 2


def test_failures_are_told(plan: DetectionPlan) -> None:
    """A failed inference is counted, not as one that was done."""
    teller = make_teller()
    detector = detector_of(plan, ScriptedSession(InferenceError("busy")), teller)

    with pytest.raises(DetectionError):
        detector.detect([square_frame()])

    engine = {"model": "m", "runtime": "scripted"}
    assert teller.registry.get_sample_value("sitewatch_inference_failures_total", engine) == 1
    assert teller.registry.get_sample_value("model_inference_total", engine) is None
