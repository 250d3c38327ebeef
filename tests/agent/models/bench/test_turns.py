"""Combinations of what is asked for, measured in turns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from models.square_detectors import build_detector

from agent.detect.detection_plan import DetectionPlan
from agent.errors import ModelError, ToolInputError
from agent.models.bench.child import Question, ask_round
from agent.models.bench.combination import Combination, Wanted, combine
from agent.models.bench.plot import in_common, labels, plot_png
from agent.models.bench.timed_round import Pace, Round
from agent.models.bench.turns import Outcome, measure_in_turns
from agent.models.evaluate.engine_use import EngineUse
from agent.settings.models import ModelSettings
from agent.settings.types import PictureSize
from devices.engines.engine import Tensors
from devices.errors import EngineUnavailable

PACE = Pace(warm_up_s=0.0, measured_s=0.05, least=3)
USES = (EngineUse("onnxruntime"), EngineUse("openvino"))
SIZES = (PictureSize(320, 320), PictureSize(256, 192))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    """A model of one size and one batch."""
    return ModelSettings(path=build_detector("yolov8", tmp_path_factory.mktemp("bench") / "fixed.onnx"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    """A model that leaves both open."""
    path = tmp_path_factory.mktemp("bench") / "open.onnx"
    return ModelSettings(path=build_detector("yolov8", path, batch="dynamic", dynamic_size=True))


def grey(plan: DetectionPlan) -> Tensors:
    """Plain pictures, as many as the batch asks."""
    return {plan.image.name: np.full((plan.batch, plan.image.height_px, plan.image.width_px, 3), 90, np.uint8)}


def test_everything_is_combined_with_everything(opened: ModelSettings) -> None:
    """Sizes, batches, sessions and engines; threads share the processors."""
    wanted = Wanted(sizes=SIZES, batches=(1, 3), sessions=(1, 2))

    combinations = combine(opened, USES, wanted, processors=4)

    assert len(combinations) == len({each.name for each in combinations}) == 16
    assert {(each.size, each.batch) for each in combinations} == {
        ("320x320", 1), ("320x320", 3), ("256x192", 1), ("256x192", 3),
    }  # fmt: skip
    assert {(each.sessions, each.threads) for each in combinations} == {(1, 4), (2, 2)}
    assert all(each.plan is not None and not each.reason for each in combinations)


def test_what_the_model_cannot_do_has_a_reason(fixed: ModelSettings) -> None:
    """A size or batch that it does not leave open: a row that says so."""
    combinations = combine(fixed, USES[:1], Wanted(sizes=(None, *SIZES), batches=(1, 4)), processors=1)

    assert [(each.size, each.batch, each.reason) for each in combinations] == [
        ("320x320", 1, ""),
        ("320x320", 4, "the model takes exactly 1 in one inference; export it with an open batch for 4"),
        ("320x320", 1, ""),
        ("320x320", 4, "the model takes exactly 1 in one inference; export it with an open batch for 4"),
        ("256x192", 1, "the model takes pictures of 320x320 only, not of 256x192"),
        ("256x192", 4, "the model takes pictures of 320x320 only, not of 256x192"),
    ]


def test_a_model_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """No row of a table."""
    (tmp_path / "no.onnx").write_bytes(b"no model")

    with pytest.raises(ModelError):
        combine(ModelSettings(path=tmp_path / "no.onnx"), USES, Wanted(), processors=1)


def test_rounds_take_turns(fixed: ModelSettings) -> None:
    """Forwards, then backwards; progress counts up to the end; one that fails is asked no more."""
    asked: list[tuple[str, int]] = []
    told: list[tuple[int, int]] = []

    def ask(question: Question) -> Round:
        asked.append((question.runtime, question.request.sessions))
        if question.runtime == "openvino" and len(asked) > 4:
            raise EngineUnavailable("gone")
        return Round((0.01, 0.02), 0.03, 0.05, 0.1, 0.2, question.pictures, 10, 5, "1", "fp32")

    combinations = combine(fixed, USES, Wanted(sessions=(1, 2)), processors=2)
    outcomes = measure_in_turns(combinations, grey, 3, PACE, progress=lambda *at: told.append(at[:2]), ask=ask)

    first = [("onnxruntime", 1), ("openvino", 1), ("onnxruntime", 2), ("openvino", 2)]
    assert asked == [*first, *first[::-1], ("onnxruntime", 1), ("onnxruntime", 2)]
    assert told == [(done, 12) for done in range(13)]
    assert [each.failure for each in outcomes] == ["", "after 1 rounds: gone", "", "after 1 rounds: gone"]
    assert [each.figures and each.figures.inferences for each in outcomes] == [6, None, 6, None]


def test_real_rounds_in_processes_of_their_own(opened: ModelSettings) -> None:
    """Two engines, batch 2, two sessions: counts, versions and memory are there; nothing of it in this process."""
    wanted = Wanted(sizes=SIZES[1:], batches=(2,), sessions=(2,))

    outcomes = measure_in_turns(combine(opened, USES, wanted, processors=2), grey, 1, PACE)

    for each in outcomes:
        figures = each.figures
        assert figures is not None, each.failure
        assert figures.inferences >= 2 * PACE.least
        assert 0 < figures.least_ms <= figures.p50_ms <= figures.p95_ms <= figures.p99_ms <= figures.most_ms
        assert figures.pictures_per_s > 0
        assert figures.processor_ms > 0
        assert figures.peak_bytes is not None
        assert figures.peak_bytes > 20 << 20
        assert figures.precision == "fp32"


def test_an_engine_that_cannot_be_used_is_a_row(fixed: ModelSettings) -> None:
    """Not installed, and a precision that it does not compute with."""
    absent = combine(fixed, (EngineUse("tensorrt"),), Wanted(), processors=1)
    other = combine(fixed, USES[:1], Wanted(precisions=("fp16",)), processors=1)

    outcomes = measure_in_turns([*absent, *other], grey, 1, PACE)

    assert "tensorrt" in outcomes[0].failure
    assert outcomes[1].failure == "asked for fp16, but it computes with fp32"


def test_a_crash_is_told(fixed: ModelSettings) -> None:
    """A child that dies without a word is an engine that cannot be used."""
    combination = combine(fixed, USES[:1], Wanted(), processors=1)[0]

    outcome = measure_in_turns([combination], grey, 1, PACE, ask=partial(ask_round, code="import os; os.abort()"))[0]

    assert "its round crashed (SIGABRT)" in outcome.failure


def test_the_plot_is_drawn(fixed: ModelSettings) -> None:
    """A PNG with a bar and a tail a row in their colours, and labels that tell rows apart; failed rows are left out."""
    outcomes = drawn(combine(fixed, USES, Wanted(sessions=(1, 2)), processors=2))

    few, more = (pixels(plot_png(rows, "here")) for rows in (outcomes[:2], [*outcomes, failed(outcomes[0])]))

    assert labels(outcomes)[:2] == ["onnxruntime on cpu, 1 session", "openvino on cpu, 1 session"]
    assert in_common(outcomes) == "fixed, 320x320, batch 1, fp32"
    assert more.shape[0] > few.shape[0]
    for colour in ((0x3B, 0x75, 0xAF), (0xD1, 0x49, 0x5B), (0x4F, 0x9D, 0x69)):
        marks = [int((picture == colour).all(axis=2).sum()) for picture in (few, more)]
        assert marks[1] > marks[0] > 50
    with pytest.raises(ToolInputError, match="0 combinations have figures"):
        plot_png([failed(outcomes[0])], "here")


def drawn(combinations: Sequence[Combination]) -> list[Outcome]:
    """Outcomes with figures that differ."""
    times = iter(range(10, 100, 10))

    def ask(question: Question) -> Round:
        took_s = next(times) / 1e3
        return Round((took_s, took_s * 2), 0.1, 0.05, 0.1, 0.2, question.pictures, 10, 5, "1", "fp32")

    return measure_in_turns(combinations, grey, 1, PACE, ask=ask)


def failed(outcome: Outcome) -> Outcome:
    """The same without figures."""
    return Outcome(outcome.combination, None, "gone")


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    """RGB of a PNG."""
    assert png.startswith(b"\x89PNG")
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture[..., ::-1], np.uint8)
