"""COCO's scores: of a model whose answers are known, and against COCO's own evaluator."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models.square_detectors import build_detector
from models.square_folder import write_square_folder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from agent.errors import ToolInputError
from agent.models.evaluate.answers import Answers, ask_model
from agent.models.evaluate.coco_folder import CocoFolder, read_coco_folder
from agent.models.evaluate.coco_rows import CocoBox
from agent.models.evaluate.coco_score import CocoScore
from agent.models.evaluate.engine_use import REFERENCE, EngineUse
from agent.models.evaluate.matching_labels import match_labels
from agent.models.evaluate.scoring import score_answers, score_model
from trackers import Detections


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> CocoFolder:
    """Four pictures of a red and a blue square."""
    return read_coco_folder(write_square_folder(tmp_path_factory.mktemp("scoring") / "set"))


@pytest.fixture(scope="module")
def seen(folder: CocoFolder) -> Answers:
    """What a model that finds them sees."""
    return ask_model(build_detector("yolov8", folder.path / "squares.onnx"), REFERENCE, folder.pictures)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_model_that_finds_everything_scores_one(runtime: str, folder: CocoFolder, tmp_path: Path) -> None:
    """At an overlap of a half; names match whatever their letters; progress is told after each picture."""
    told: list[tuple[int, int]] = []
    model = build_detector("yolov8", tmp_path / "squares.onnx")

    score = score_model(model, EngineUse(runtime), folder, progress=lambda *at: told.append(at))

    assert (score.ap50, score.ar_medium) == (1.0, pytest.approx(score.ar100))
    assert score.ap > 0.8
    assert (score.pictures, score.boxes, score.ap_small) == (4, 8, None)
    assert [(each.label, each.boxes, each.ap50) for each in score.classes] == [("red", 4, 1.0), ("Blue", 4, 1.0)]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (score.runtime, score.accelerator, score.precision) == (runtime, "cpu", "fp32")


def test_what_is_missed_and_seen_wrongly_costs(folder: CocoFolder, seen: Answers) -> None:
    """Half of the reds missed: half of the recall; one that is sure of nothing but noise: nothing."""
    reds_missed = {n: found[found.class_ids == 1] if n % 2 else found for n, found in seen.found.items()}
    shifted = {n: Detections(found.boxes + 300, found.scores, found.class_ids) for n, found in seen.found.items()}

    score = scored(seen, reds_missed, folder)

    assert (score.of("red").ar, score.of("Blue").ar) == (pytest.approx(score.of("Blue").ar / 2), score.ar100 / 0.75)
    assert scored(seen, shifted, folder).ap == 0.0
    assert scored(seen, dict.fromkeys(seen.found, Detections.empty()), folder).ap == 0.0


def test_a_crowd_counts_as_neither(folder: CocoFolder, seen: Answers) -> None:
    """A red square that is said to be a crowd: neither its miss nor its find changes anything."""
    boxes = tuple(replace(box, is_crowd=box.category_id == 3 and box.picture_id == 1) for box in folder.boxes)
    crowded = replace(folder, boxes=boxes)
    without = {n: found[found.class_ids == 1] if n == 1 else found for n, found in seen.found.items()}

    score = scored(seen, seen.found, crowded)

    assert score.of("red").boxes == 3
    assert scored(seen, without, crowded).ap50 == score.ap50 == 1.0


def test_classes_that_one_side_knows_are_left_out(folder: CocoFolder, seen: Answers) -> None:
    """A category the model has no label for does not count against it, but is told."""
    more = replace(folder, categories={**folder.categories, 9: "green"}, boxes=(*folder.boxes, a_green_box(folder)))

    score = scored(seen, seen.found, more)

    assert (score.boxes, score.not_in_model, score.ap50) == (8, ("green",), 1.0)
    assert "left out, as the model has no such label: green" in score.as_text()


def a_green_box(folder: CocoFolder) -> CocoBox:
    """A box of a class of its own."""
    return replace(folder.boxes[0], category_id=9)


def test_labels_are_matched_by_name() -> None:
    """Letters' size and the marks between words do not matter; nothing in common, or one name twice, is an error."""
    match = match_labels(("Traffic Light", "car", "dog"), {10: "traffic_light", 3: "car", 8: "cell-phone"})

    assert match.categories == {0: 10, 1: 3}
    assert (match.not_in_model, match.not_in_folder) == (("cell-phone",), ("dog",))
    with pytest.raises(ToolInputError, match=r"none of the model's labels .* is a category of the folder"):
        match_labels(("cat",), {1: "dog"})
    with pytest.raises(ToolInputError, match="more than one label of the model"):
        match_labels(("cat", "Cat"), {1: "cat"})


@pytest.mark.assets
def test_the_evaluator_agrees_with_cocos_own(assets: Path) -> None:
    """On real pictures with crowds every number of the summary is that of pycocotools."""
    folder = read_coco_folder(assets / "coco", limit=24)
    answers = ask_model(assets / "models" / "yolox_nano_416.onnx", REFERENCE, folder.pictures)

    score = score_answers(answers, folder, 0.01)

    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")
    expected = pycocotools_stats(answers, folder)
    assert [getattr(score, name) for name in names] == pytest.approx(expected[: len(names)], abs=1e-6)
    assert json.loads(json.dumps(score.as_json()))["ap"] == score.ap


def pycocotools_stats(answers: Answers, folder: CocoFolder) -> list[float]:
    """The summary of COCO's own evaluator."""
    ids = {name: number for number, name in folder.categories.items()}
    rows = [
        {"image_id": picture, "category_id": ids[answers.plan.labels.texts[label]], "score": score,
         "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for picture, found in answers.found.items()
        for (x1, y1, x2, y2), score, label in zip(
            found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True
        )
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder.annotations))
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.params.imgIds = [picture.picture_id for picture in folder.pictures]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in np.asarray(evaluation.stats)]


def scored(seen: Answers, found: Mapping[int, Detections], folder: CocoFolder) -> CocoScore:
    """The score of other answers of the same model."""
    return score_answers(replace(seen, found=found), folder, 0.01)
