"""COCO's scores, by the package faster-coco-eval: the reference's own algorithm, compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import ToolInputError, ToolUnavailableError
from agent.models.evaluate.answers import FOR_SCORING, Answers, Progress, ask_model
from agent.models.evaluate.coco_folder import CocoFolder
from agent.models.evaluate.coco_score import ClassScore, CocoScore
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.matching_labels import LabelMatch, match_labels
from agent.settings.models import DetectionSettings, ModelSettings

# Places in the evaluator's tables (overlap, recall, class, size, detections a picture), and in its summary.
_ALL_SIZES, _MOST_DETECTIONS, _AT_HALF = 0, -1, 0
_SUMMARY = (
    "ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip


def score_model(
    model: Path | ModelSettings,
    use: EngineUse,
    folder: CocoFolder,
    *,
    detection: DetectionSettings = FOR_SCORING,
    threads: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> CocoScore:
    """Run a model on every picture of a folder and score what it sees.

    Args:
        model: the file, or with what a site file would say of it (labels, family, precision).
        use: the engine; `EngineUse("onnxruntime")` is ONNX Runtime on the processor.
        folder: as `read_coco_folder` gives it; `folder.first(n)` for fewer pictures.
        detection: thresholds; low ones, for precision.
        threads: of one inference; None takes every processor this process may use.
        progress: is told after every picture.

    Raises:
        ToolUnavailableError: the evaluator is not installed.
        ToolInputError: a picture cannot be read, or labels and categories have no name in common.
        ModelError, DetectionError, DevicesError: the model or the engine fails.
    """
    require_evaluator()
    return score_answers(
        ask_model(model, use, folder.pictures, detection=detection, threads=threads, progress=progress),
        folder,
        detection.score_threshold,
    )


def score_answers(answers: Answers, folder: CocoFolder, score_threshold: float) -> CocoScore:
    """Score what a model saw.

    Args:
        answers: one for every picture of the folder.
        folder: what is to be seen.
        score_threshold: with which the model was asked.

    Raises:
        ToolUnavailableError: the evaluator is not installed.
        ToolInputError: labels and categories have no name in common, or nothing of them is to be seen.
    """
    match = match_labels(answers.plan.labels.texts, folder.categories)
    evaluation = _evaluate(answers, folder, match)
    summary: dict[str, Any] = dict(zip(_SUMMARY, map(_score, evaluation.stats), strict=False))
    classes = _classes(evaluation, folder, match)
    boxes = sum(each.boxes for each in classes)
    if not boxes:
        raise ToolInputError(f"{folder.annotations}: no box is of a class that the model knows")
    engine = answers.engine
    return CocoScore(
        model=answers.plan.path.name,
        runtime=engine.runtime,
        runtime_version=engine.runtime_version,
        accelerator=engine.accelerator.kind.value,
        precision=engine.precision,
        pictures=len(folder.pictures),
        boxes=boxes,
        classes=classes,
        not_in_model=match.not_in_model,
        not_in_folder=match.not_in_folder,
        score_threshold=score_threshold,
        **summary,
    )


def require_evaluator() -> Any:  # noqa: ANN401 - an untyped library's module
    """The evaluator's module.

    Raises:
        ToolUnavailableError: it is not installed.
    """
    try:
        import faster_coco_eval  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ToolUnavailableError(
            f"scoring needs the package faster-coco-eval, which cannot be imported ({error}): "
            "pip install 'sitewatch[tools]'"
        ) from error
    return faster_coco_eval


def _evaluate(answers: Answers, folder: CocoFolder, match: LabelMatch) -> Any:  # noqa: ANN401 - an untyped library's
    library = require_evaluator()
    truth = library.COCO(_truth(folder))
    evaluation = library.COCOeval_faster(truth, truth.loadRes(list(_results(answers, match))), "bbox")
    evaluation.params.catIds = sorted(match.categories.values())
    evaluation.params.imgIds = sorted(picture.picture_id for picture in folder.pictures)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def _truth(folder: CocoFolder) -> dict[str, Any]:
    return {
        "images": [
            {"id": each.picture_id, "width": each.width_px, "height": each.height_px} for each in folder.pictures
        ],
        "categories": [{"id": number, "name": name} for number, name in folder.categories.items()],
        "annotations": [
            {
                "id": number,
                "image_id": box.picture_id,
                "category_id": box.category_id,
                "bbox": list(box.corner_and_size),
                "area": box.area_px,
                "iscrowd": int(box.is_crowd),
            }
            for number, box in enumerate(folder.boxes, start=1)  # 0 would mean: not matched
        ],
    }


def _results(answers: Answers, match: LabelMatch) -> Iterator[dict[str, Any]]:
    for picture_id, found in answers.found.items():
        columns = (found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist())
        for (x1, y1, x2, y2), score, class_id in zip(*columns, strict=True):
            if class_id in match.categories:
                category_id = match.categories[class_id]
                box = [x1, y1, x2 - x1, y2 - y1]
                yield {"image_id": picture_id, "category_id": category_id, "bbox": box, "score": score}


def _classes(evaluation: Any, folder: CocoFolder, match: LabelMatch) -> tuple[ClassScore, ...]:  # noqa: ANN401 - as above
    precision = np.asarray(evaluation.eval["precision"])[..., _ALL_SIZES, _MOST_DETECTIONS]
    recall = np.asarray(evaluation.eval["recall"])[..., _ALL_SIZES, _MOST_DETECTIONS]
    counts = dict.fromkeys(match.categories.values(), 0)
    for box in folder.boxes:
        if box.category_id in counts and not box.is_crowd:
            counts[box.category_id] += 1
    return tuple(
        ClassScore(
            label=folder.categories[category_id],
            ap=_mean(precision[:, :, place]),
            ap50=_mean(precision[_AT_HALF, :, place]),
            ar=_mean(recall[:, place]),
            boxes=counts[category_id],
        )
        for place, category_id in enumerate(evaluation.params.catIds)
    )


def _mean(table: npt.NDArray[Any]) -> float | None:
    """Of what is there; the evaluator writes -1 where there is nothing to be found."""
    there = table[table > -1]
    return float(there.mean()) if there.size else None


def _score(value: float) -> float | None:
    return float(value) if value > -1 else None
