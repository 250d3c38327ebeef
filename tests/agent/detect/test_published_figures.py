"""Every model of the assets reaches its published figures through our own preprocessing and decoders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from models.detecting import RUNTIMES, make_plan

from agent.detect.coco import COCO_LABELS
from agent.detect.letterbox import Fit
from agent.models.evaluate.answers import FOR_SCORING, Answers, ask_model
from agent.models.evaluate.coco_folder import CocoFolder, read_coco_folder
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.parity import compare_found
from agent.models.evaluate.scoring import score_answers

pytestmark = pytest.mark.assets


class Published(NamedTuple):
    """What the assets say of a model: COCO AP@[.5:.95] and AP50 over every class, and AP of `person` alone."""

    family: str
    fit: Fit
    ap: float
    ap50: float
    person: float


PUBLISHED = {
    "yolox_nano_416": Published("yolox", Fit.LETTERBOX_TOP_LEFT, 0.327, 0.504, 0.341),
    "yolox_nano_416_v5_layout": Published("yolov5", Fit.LETTERBOX_CENTRE, 0.342, 0.520, 0.348),
    "yolox_nano_416_v8_layout": Published("yolov8", Fit.LETTERBOX_CENTRE, 0.342, 0.520, 0.348),
    "yolox_nano_416_e2e_layout": Published("end2end", Fit.LETTERBOX_CENTRE, 0.339, 0.520, 0.345),
    "deimv2_atto_320": Published("detr", Fit.STRETCH, 0.280, 0.402, 0.320),
    "nanodet_m_320": Published("nanodet", Fit.LETTERBOX_CENTRE, 0.276, 0.449, 0.303),
}
TOLERANCE, PERSON_TOLERANCE = 0.003, 0.005


@pytest.fixture(scope="session")
def folder(assets: Path) -> CocoFolder:
    """The annotated pictures."""
    return read_coco_folder(assets / "coco")


@pytest.fixture(scope="session")
def answers(assets: Path, folder: CocoFolder) -> Iterator[Callable[[str, str], Answers]]:
    """What a model sees in every picture on a run-time; each pair runs once."""
    seen: dict[tuple[str, str], Answers] = {}

    def of(model: str, runtime: str) -> Answers:
        if (model, runtime) not in seen:
            path = assets / "models" / f"{model}.onnx"
            seen[model, runtime] = ask_model(path, EngineUse(runtime), folder.pictures)
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
    runtime: str, model: str, answers: Callable[[str, str], Answers], folder: CocoFolder
) -> None:
    """Precision over all classes, at half overlap, and of persons, is the published one."""
    score = score_answers(answers(model, runtime), folder, FOR_SCORING.score_threshold)

    assert (score.ap, score.ap50) == pytest.approx((PUBLISHED[model].ap, PUBLISHED[model].ap50), abs=TOLERANCE)
    assert score.of("person").ap == pytest.approx(PUBLISHED[model].person, abs=PERSON_TOLERANCE)


@pytest.mark.parametrize("model", PUBLISHED)
def test_run_times_agree(model: str, answers: Callable[[str, str], Answers]) -> None:
    """Every sure box has its like on the other run-time, and the other way round, to a tenth of a pixel."""
    parity = compare_found(*(answers(model, runtime).found for runtime in RUNTIMES), precision="fp32")

    assert parity.boxes > 400
    assert (parity.matched, parity.missing, parity.extra) == (parity.boxes, 0, 0)
    assert parity.worst_score < 1e-3
    assert parity.worst_box_px < 0.1
