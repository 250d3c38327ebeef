"""Every model of the assets reaches its published figures through our own preprocessing and decoders."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from models.detecting import RUNTIMES, make_frame, make_plan, open_detector
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from agent.detect.coco import COCO_LABELS
from agent.detect.letterbox import Fit
from agent.stream.frame import Frame
from trackers import Detections

pytestmark = pytest.mark.assets


class Figures(NamedTuple):
    """COCO AP@[.5:.95] over every class, and of `person` alone."""

    everything: float
    person: float


class Published(NamedTuple):
    """What the assets say of a model."""

    family: str
    fit: Fit
    figures: Figures


PUBLISHED = {
    "yolox_nano_416": Published("yolox", Fit.LETTERBOX_TOP_LEFT, Figures(0.327, 0.341)),
    "yolox_nano_416_v5_layout": Published("yolov5", Fit.LETTERBOX_CENTRE, Figures(0.342, 0.348)),
    "yolox_nano_416_v8_layout": Published("yolov8", Fit.LETTERBOX_CENTRE, Figures(0.342, 0.348)),
    "yolox_nano_416_e2e_layout": Published("end2end", Fit.LETTERBOX_CENTRE, Figures(0.339, 0.345)),
    "deimv2_atto_320": Published("detr", Fit.STRETCH, Figures(0.280, 0.320)),
    "nanodet_m_320": Published("nanodet", Fit.LETTERBOX_CENTRE, Figures(0.276, 0.303)),
}
TOLERANCE = 0.01
Answers = dict[int, Detections]


@pytest.fixture(scope="session")
def truth(assets: Path) -> COCO:
    """The annotated images."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(assets / "coco" / "instances.json"))


@pytest.fixture(scope="session")
def images(assets: Path, truth: COCO) -> dict[int, Frame]:
    """Every image as a frame, by its number."""
    folder = assets / "coco" / "images"
    return {
        image["id"]: make_frame(np.asarray(cv2.imread(str(folder / image["file_name"])), np.uint8))
        for image in truth.dataset["images"]
    }


@pytest.fixture(scope="session")
def answers(assets: Path, images: dict[int, Frame]) -> Iterator[Callable[[str, str], Answers]]:
    """What a model sees in every image on a run-time; each pair runs once."""
    seen: dict[tuple[str, str], Answers] = {}

    def of(model: str, runtime: str) -> Answers:
        if (model, runtime) not in seen:
            plan = make_plan(
                assets / "models" / f"{model}.onnx", score_threshold=0.01, iou_threshold=0.65, max_detections=300
            )
            with open_detector(plan, runtime) as detector:
                found = [detector.detect([frame])[0] for frame in images.values()]
            seen[model, runtime] = dict(zip(images, found, strict=True))
        return seen[model, runtime]

    yield of
    seen.clear()


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_family_is_recognised(model: str, assets: Path) -> None:
    """Family, fit and labels are read off the model."""
    plan = make_plan(assets / "models" / f"{model}.onnx")

    assert (plan.family, plan.preprocessing.fit) == PUBLISHED[model][:2]
    assert plan.labels.texts == COCO_LABELS


@pytest.mark.parametrize("model", PUBLISHED)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_published_precision_is_reached(
    runtime: str, model: str, answers: Callable[[str, str], Answers], truth: COCO
) -> None:
    """Precision over all classes and of persons is the published one within 0.01."""
    figures = precision(answers(model, runtime), truth)

    assert figures == pytest.approx(PUBLISHED[model].figures, abs=TOLERANCE)


@pytest.mark.parametrize("model", PUBLISHED)
def test_run_times_agree(model: str, answers: Callable[[str, str], Answers]) -> None:
    """Every box with a score of 0.05 or more has its like on the other run-time, and the other way round."""
    one, other = (answers(model, runtime) for runtime in RUNTIMES)

    for image_id in one:
        assert_same(one[image_id], other[image_id])
        assert_same(other[image_id], one[image_id])


def assert_same(some: Detections, others: Detections) -> None:
    """Each detection has one of the same class, place and score among the others."""
    for box, score, class_id in zip(some.boxes, some.scores, some.class_ids, strict=True):
        if score < 0.05:
            continue
        alike = (others.class_ids == class_id) & (np.abs(others.scores - score) < 1e-3)
        alike &= np.abs(others.boxes - box).max(axis=1, initial=0.0) < 0.1

        assert alike.any(), (class_id, score, box)


def precision(found: Answers, truth: COCO) -> Figures:
    """COCO's own evaluation of what was found."""
    numbers = {category["name"]: category["id"] for category in truth.dataset["categories"]}
    rows = [
        row
        for image_id, detections in found.items()
        for row in result_rows(image_id, detections)
        if row["category_id"] in numbers
    ]
    for row in rows:
        row["category_id"] = numbers[row["category_id"]]
    with contextlib.redirect_stdout(io.StringIO()):
        results = truth.loadRes(rows)
        return Figures(*(average(truth, results, ids) for ids in (None, [numbers["person"]])))


def result_rows(image_id: int, detections: Detections) -> Iterator[dict[str, Any]]:
    """Detections as rows of COCO's result format, the category still by name."""
    columns = (detections.boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist())
    for (x1, y1, x2, y2), score, class_id in zip(*columns, strict=True):
        box = [x1, y1, x2 - x1, y2 - y1]
        yield {"image_id": image_id, "category_id": COCO_LABELS[class_id], "bbox": box, "score": score}


def average(truth: COCO, results: COCO, category_ids: list[int] | None) -> float:
    """AP@[.5:.95]."""
    evaluation = COCOeval(truth, results, "bbox")
    if category_ids is not None:
        evaluation.params.catIds = category_ids
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[0])
