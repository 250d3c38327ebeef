"""Layers that quantise badly are found and kept in float; what loses too much is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from clips.rendered import draw
from models.detecting import SQUARES, make_frame, make_plan
from models.layered_squares import build_layered
from models.square_folder import write_square_folder

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.errors import RefusedResultError, ToolInputError
from agent.models.evaluate.coco_folder import read_coco_folder
from agent.models.evaluate.engine_use import EngineUse
from agent.models.quantize.accuracy import Accuracy
from agent.models.quantize.apartness import apart
from agent.models.quantize.calibration_pictures import CalibrationSet
from agent.models.quantize.int8_search import Found
from agent.models.quantize.quantizing import Order, Watch, quantise
from agent.settings.models import ModelSettings
from devices.models.qdq_audit import audit
from trackers import Detections

ENGINES = (EngineUse("onnxruntime"), EngineUse("openvino"))


def made(path: Path, **changed: object) -> tuple[DetectionPlan, CalibrationSet, Order]:
    """A plan of the model, pictures for it, and the usual order."""
    plan = make_plan(path)
    canvas = Canvas(4, (128, 128), plan.preprocessing.fit, plan.preprocessing.pad_value)
    canvas.paint([make_frame(draw(SQUARES, (640, 360), seed=100 + seed)) for seed in range(4)])
    usual = {"method": "minmax", "percentile": 99.9, "target": "everywhere", "most_loss": 0.01, "in_float": ()}
    order = Order(**{**usual, "threads": 1, **changed})  # type: ignore[arg-type]
    return plan, CalibrationSet(canvas.pixels.copy(), "squares"), order


def accuracy_of(path: Path, tmp_path: Path) -> Accuracy:
    folder = read_coco_folder(write_square_folder(tmp_path / "set", pictures=3))
    return Accuracy(folder, ENGINES, ModelSettings(path=path), "yolov8", threads=1)


def search(path: Path, tmp_path: Path, *, is_scored: bool = True, **changed: object) -> Found:
    plan, pictures, order = made(path, **changed)
    accuracy = accuracy_of(path, tmp_path) if is_scored else None
    return quantise(plan, pictures, order, accuracy, Watch())[0]


def test_layers_that_quantise_badly_stay_in_float(tmp_path: Path) -> None:
    """What is on both sides of the bad tensor is found and kept; nothing of the precision is lost on either engine."""
    found = search(build_layered(tmp_path / "squares.onnx"), tmp_path)

    assert {cost.layer.name for cost in found.in_float} == {"wide", "narrow"}
    assert min(cost.apart for cost in found.in_float) > 0.5
    assert [layer.name for layer in found.layers] == ["split", "join"]
    assert all(each.after is not None and each.loss <= 0.01 for each in found.scores)
    assert len(found.scores) == 2
    assert audit(onnx.load_from_string(found.files[".onnx"])) == ()


def test_without_a_dataset_the_distance_decides(tmp_path: Path) -> None:
    """The same layers are kept, though nothing can be scored."""
    found = search(build_layered(tmp_path / "squares.onnx"), tmp_path, is_scored=False)

    assert {cost.layer.name for cost in found.in_float} == {"wide", "narrow"}
    assert found.scores == ()


def test_a_model_without_bad_layers_is_int8_throughout(tmp_path: Path) -> None:
    """The first attempt is the last."""
    found = search(build_layered(tmp_path / "squares.onnx", is_bad=False), tmp_path, is_scored=False)

    assert (len(found.layers), found.in_float, found.attempts) == (4, (), 1)


def test_layers_named_are_left_alone(tmp_path: Path) -> None:
    """Whatever they would cost; and a name that is none is refused with those there are."""
    path = build_layered(tmp_path / "squares.onnx")
    found = search(path, tmp_path, is_scored=False, in_float=("narrow", "split"))

    assert [layer.name for layer in found.layers] == ["join"]
    assert [cost.layer.name for cost in found.in_float] == ["wide"]
    with pytest.raises(ToolInputError, match="wall: no such layer; there are split, join, wide, narrow"):
        search(path, tmp_path, is_scored=False, in_float=("wall",))


def test_too_great_a_loss_is_refused(tmp_path: Path) -> None:
    """With what was reached, and what may help."""

    class Hopeless(Accuracy):
        def _ap(self, _settings: ModelSettings, _use: EngineUse, what: str) -> float:
            return 0.9 if what == "float" else 0.7

    path = build_layered(tmp_path / "squares.onnx", is_bad=False)
    plan, pictures, order = made(path)
    folder = read_coco_folder(write_square_folder(tmp_path / "set", pictures=1))
    accuracy = Hopeless(folder, ENGINES, ModelSettings(path=path), "yolov8", threads=1)
    told: list[str] = []

    with pytest.raises(RefusedResultError, match=r"at most 0\.01 AP.*2 layers in int8, 2 in float: AP 0\.7000 of 0\.9"):
        quantise(plan, pictures, order, accuracy, Watch(told=told.append))
    assert [sentence.split(":")[0] for sentence in told] == [
        "4 layers in int8, 0 in float",
        "3 layers in int8, 1 in float",
        "2 layers in int8, 2 in float",
    ]


def test_arranged_for_onnxruntime(tmp_path: Path) -> None:
    """The file itself holds uint8, for programs that do not rearrange what they load."""
    found = search(build_layered(tmp_path / "squares.onnx"), tmp_path, is_scored=False, target="onnxruntime")

    assert any("uint8" in finding for finding in audit(onnx.load_from_string(found.files[".onnx"])))


def detections(*boxes: tuple[float, ...], score: float = 0.8, class_id: int = 0) -> Detections:
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, score, np.float32),
        np.full(count, class_id, np.int64),
    )


def test_apart() -> None:
    """Nothing between equals; all between what share nothing, class included; the rest by overlap and score."""
    here, there = detections((0, 0, 10, 10)), detections((50, 50, 60, 60))

    assert apart([here], [here]) == pytest.approx(0.0)
    assert apart([here], [there]) == 1.0
    assert apart([here], [detections((0, 0, 10, 10), class_id=1)]) == 1.0
    assert apart([here], [detections((0, 0, 10, 5))]) == pytest.approx(0.5)
    assert apart([here], [detections((0, 0, 10, 10), score=0.6)]) == pytest.approx(0.2)
    assert apart([here], [detections()]) == 1.0
    assert apart([detections()], [detections()]) == 0.0
