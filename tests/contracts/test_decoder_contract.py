"""What every family's decoder promises, held against real models in that family's layout, on real run-times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips.rendered import TruthBox
from models.detecting import RUNTIMES, SQUARES, assert_finds, make_frame, make_plan, open_detector, square_frame
from models.square_detectors import FAMILIES, LABELS, NOTED, build_detector

from agent.detect.detection_plan import DetectionPlan
from agent.detect.letterbox import fit_frame
from agent.errors import DetectionError

WAYS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "open batch and size": {"batch": "dynamic", "dynamic_size": True},
    "two in half precision": {"batch": 2, "fp16": True},
    "another size": {"input_size": 416},
}


def plan_of(family: str, path: Path, way: dict[str, Any] | None = None, **detection: Any) -> DetectionPlan:
    """A plan as the site file would have it; labels are written where the family's exporters do not note them."""
    way = way or {}
    model: dict[str, Any] = {} if family in NOTED else {"labels": LABELS}
    if way.get("batch") == "dynamic":
        model["batch"] = 3
    if way.get("dynamic_size"):
        model["input_size"] = 320
    return make_plan(build_detector(family, path / f"{family}.onnx", **way), model, **detection)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_squares_are_found(runtime: str, family: str, way: str, tmp_path: Path) -> None:
    """Each square is found where it is, once, and grey gives nothing, in every frame of a batch."""
    plan = plan_of(family, tmp_path, WAYS[way])
    seen = [SQUARES, (), SQUARES[:1], SQUARES[1:]]

    with open_detector(plan, runtime) as detector:
        found = detector.detect([square_frame(squares, seed=seed) for seed, squares in enumerate(seen)])

    assert plan.family == family
    for detections, squares in zip(found, seen, strict=True):
        assert_finds(detections, squares)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [(1280, 720), (360, 640), (638, 361), (64, 64), (4096, 16)])
def test_every_frame_shape_is_taken(family: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Frames of any shape are searched; without squares in them nothing is found."""
    with open_detector(plan_of(family, tmp_path)) as detector:
        [found] = detector.detect([square_frame((), size=size)])

    assert len(found) == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_squares_of_larger_frames_are_found(family: str, tmp_path: Path) -> None:
    """The same picture at another size gives the same boxes, larger."""
    large = make_frame(square_frame().picture.scaled(1920, 1080))
    squares = [TruthBox(*square[:2], *(3 * side for side in square[2:])) for square in SQUARES]

    with open_detector(plan_of(family, tmp_path)) as detector:
        [found] = detector.detect([large])

    assert_finds(found, squares, within_px=6)


@pytest.mark.parametrize("family", FAMILIES)
def test_thresholds_hold_exactly(family: str, tmp_path: Path) -> None:
    """A score equal to the threshold passes, one just above it hides the detection."""
    plan = plan_of(family, tmp_path)
    with open_detector(plan) as detector:
        [everything] = detector.detect([square_frame()])
    lowest = float(everything.scores.min())

    above = float(np.nextafter(np.float32(lowest), np.float32(2)))
    kept = [answers(family, tmp_path, score_threshold=value) for value in (lowest, above)]

    assert kept == [2, 1]


def answers(family: str, path: Path, **detection: Any) -> int:
    """How many detections there are of both squares."""
    with open_detector(plan_of(family, path, **detection)) as detector:
        return len(detector.detect([square_frame()])[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_label_has_its_own_threshold(family: str, tmp_path: Path) -> None:
    """A threshold for one label leaves the others alone."""
    plan = plan_of(family, tmp_path, score_thresholds={"red": 1.0})

    with open_detector(plan) as detector:
        [found] = detector.detect([square_frame()])

    assert_finds(found, SQUARES[1:])


@pytest.mark.parametrize("family", FAMILIES)
def test_only_so_many_are_given(family: str, tmp_path: Path) -> None:
    """The best stay when there are more than the limit."""
    assert answers(family, tmp_path, max_detections=1) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_come_best_first_and_read_only(family: str, tmp_path: Path) -> None:
    """Detections are sorted by score, and float32 and int32 as promised."""
    with open_detector(plan_of(family, tmp_path, score_threshold=0.0)) as detector:
        [found] = detector.detect([square_frame()])

    assert len(found) >= 2
    assert (np.diff(found.scores) <= 0).all()
    assert [column.dtype.name for column in (found.boxes, found.scores, found.class_ids)] == [
        "float32",
        "float32",
        "int32",
    ]


def sample_outputs(plan: DetectionPlan, seed: int, *, count: int = 1) -> dict[str, np.ndarray[Any, Any]]:
    """Random outputs of the planned shapes: scores everywhere, in every class."""
    random = np.random.default_rng(seed)
    outputs = {}
    for spec in plan.outputs:
        shape = (count, *(axis or 1 for axis in spec.shape[1:]))
        is_label = spec.dtype == "int64"
        outputs[spec.name] = random.integers(0, 2, shape) if is_label else random.random(shape, np.float32)
    if plan.family == "end2end":
        outputs["output0"][..., 5] = random.integers(0, 2, outputs["output0"].shape[:2])
    return outputs


@pytest.mark.parametrize("family", FAMILIES)
def test_many_candidates_stay_within_limits(family: str, tmp_path: Path) -> None:
    """Thousands of candidates give at most the limit, all above the threshold, best first, twice the same."""
    plan = plan_of(family, tmp_path, score_threshold=0.3, max_detections=50)
    outputs = sample_outputs(plan, seed=1)
    letterbox = fit_frame((640, 360), (320, 320), plan.preprocessing.fit)

    first, again = (plan.decoder.decode(outputs, [letterbox])[0] for _ in range(2))

    assert 0 < len(first) <= 50
    assert (first.scores >= np.float32(0.3)).all()
    assert (np.diff(first.scores) <= 0).all()
    np.testing.assert_array_equal(first.boxes, again.boxes)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_rows_are_not_read(family: str, tmp_path: Path) -> None:
    """A batch that was filled up answers for its frames only, and each from its own row."""
    plan = plan_of(family, tmp_path, score_threshold=0.5)
    outputs = sample_outputs(plan, seed=2, count=3)
    letterbox = fit_frame((640, 360), (320, 320), plan.preprocessing.fit)

    together = plan.decoder.decode(outputs, [letterbox] * 2)
    second = plan.decoder.decode({name: tensor[1:] for name, tensor in outputs.items()}, [letterbox])

    assert len(together) == 2
    np.testing.assert_array_equal(together[1].boxes, second[0].boxes)


@pytest.mark.parametrize("family", FAMILIES)
def test_boxes_go_back_by_the_letterbox(family: str, tmp_path: Path) -> None:
    """A shift of the letterbox shifts every box by as much, also out of the frame: nothing is clipped."""
    plan = plan_of(family, tmp_path, score_threshold=0.5)
    outputs = sample_outputs(plan, seed=3)
    here = replace(fit_frame((640, 640), (320, 320), plan.preprocessing.fit), pad_x_px=0, pad_y_px=0)
    there = replace(here, pad_x_px=100, pad_y_px=30)

    one, other = (plan.decoder.decode(outputs, [box])[0] for box in (here, there))

    np.testing.assert_allclose(one.boxes - other.boxes, np.tile([200.0, 60.0], (len(one), 2)), rtol=1e-4)
    assert (other.boxes[:, :2] < 0).any()


@pytest.mark.parametrize("family", ["yolox"])
def test_boxes_without_bounds_are_an_error(family: str, tmp_path: Path) -> None:
    """A box that overflows is told, not given."""
    plan = plan_of(family, tmp_path)
    outputs = sample_outputs(plan, seed=4)
    outputs["output"][..., 2] = 1000.0
    letterbox = fit_frame((640, 360), (320, 320), plan.preprocessing.fit)

    with pytest.raises(DetectionError, match="without bounds"):
        plan.decoder.decode(outputs, [letterbox])


@pytest.mark.parametrize("family", ["end2end", "detr"])
def test_a_class_without_a_label_is_an_error(family: str, tmp_path: Path) -> None:
    """A class id beyond the labels is told, not given, when its score counts."""
    plan = plan_of(family, tmp_path)
    outputs = sample_outputs(plan, seed=5)
    name = "labels" if family == "detr" else "output0"
    outputs[name][..., -1] = 7
    letterbox = fit_frame((640, 360), (320, 320), plan.preprocessing.fit)

    with pytest.raises(DetectionError, match="class 7"):
        plan.decoder.decode(outputs, [letterbox])
