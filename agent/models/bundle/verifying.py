"""Whether the model of a bundle finds what the bundle says. Where the reference does not, the bundle is at fault."""

from __future__ import annotations

from dataclasses import dataclass

from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import questions_of
from agent.detect.golden import Bundled, GoldenDifference, GoldenJudge, tolerance_of
from agent.errors import DetectionError, ModelError
from agent.models.bundle.stills import stills
from agent.models.evaluate.engine_use import REFERENCE, EngineUse, open_engine
from agent.settings.models import ModelSettings
from devices.errors import DevicesError
from devices.trials.exam import Difference, Exam
from devices.trials.trial import answers_of


@dataclass(frozen=True)
class Verified:
    """What became of the golden pictures on one engine.

    Attributes:
        engine: run-time, version and accelerator, for people.
        precision: fp32, fp16 or int8, of the engine; it decides how much may differ.
        difference: whether it finds what the bundle says, in words.
        measured: in numbers; None where its answer cannot be read or nothing is told.
    """

    engine: str
    precision: str
    difference: Difference
    measured: GoldenDifference | None


def verify_bundled(plan: DetectionPlan) -> None:
    """Hold a model that came in a bundle against its golden outputs, on the reference, fed as the bundle says.

    Raises:
        ModelError: it does not find what the bundle says; nothing is done where there is no bundle.
    """
    bundled = plan.bundled
    if bundled is None:
        return
    try:
        verified = verify_on(bundled, REFERENCE, ModelSettings(path=bundled.plan.path))
    except DevicesError as error:
        raise ModelError(f"{bundled.path}: its model does not run on {REFERENCE.name}: {error}") from error
    if not verified.difference.is_within:
        raise ModelError(not_golden(bundled, verified))


def verify_on(bundled: Bundled, use: EngineUse, model: ModelSettings) -> Verified:
    """Ask an engine the golden pictures.

    Args:
        bundled: the bundle.
        use: which engine.
        model: precision and the rest that an engine is asked for.

    Raises:
        DevicesError: the engine cannot be loaded or run.
    """
    asked = questions_of(bundled.plan, stills(bundled.golden.pictures))
    judge = GoldenJudge(bundled.plan.exam_decoder, asked.letterboxes, bundled.golden.found)
    with open_engine(bundled.plan, model, use) as engine:
        answers = answers_of(engine, Exam(asked.tensors, judge))
        precision, version = engine.spec.precision, engine.spec.runtime_version
    try:
        measured = judge.measured(answers, precision)
    except DetectionError:
        measured = None
    name = use.name.replace(use.runtime, f"{use.runtime} {version}", 1)
    return Verified(name, precision, judge((), answers, precision), measured)


def not_golden(bundled: Bundled, verified: Verified) -> str:
    """What to tell where it does not find what the bundle says."""
    allowed = tolerance_of(verified.precision)
    return (
        f"{bundled.path}: on {verified.engine} its model does not find what the bundle says: {verified.difference.text}"
        f" (allowed for {verified.precision}: overlap from {allowed.iou:g}, scores within {allowed.score:g})"
    )
