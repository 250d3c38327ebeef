"""Checks and simplifies a model, and verifies that the result computes the same."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from agent.detect.detection_plan import DetectionPlan
from agent.errors import OutputError
from agent.models.input_errors import told_as_input
from agent.models.optimize.equality import Check, Contest, compared
from agent.models.optimize.questions import Question, plain_questions, planned_questions
from agent.models.recognised import Shapes, recognised
from agent.stream.frame import BgrArray
from devices.engines.model_file import ModelFile, read_model
from devices.errors import EngineLoadError
from devices.models.onnx_check import check_valid, shape_complaint
from devices.models.onnx_running import OnnxRun
from devices.models.onnx_simplify import simplifier_version, simplify
from devices.models.onnx_whole import read_whole, whole_bytes

ROUNDS = 15
Told = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        size_bytes: of the model with all its weights, as one file.
        nodes: operators in its graph.
        median_ms: of an inference on ONNX Runtime's processor kernels, one thread, its optimisations on.
    """

    size_bytes: int
    nodes: int
    median_ms: float = math.nan


@dataclass(frozen=True, eq=False)
class Optimised:
    """What came out.

    Attributes:
        content: the simpler model, as one file; empty where there is none.
        simplifier: what simplified, with its version.
        family: as the product recognises it, or "".
        notes: why no family is recognised, what is wrong with the original's shapes.
        before, after: the original, and the simpler one (None where there is none).
        checks: every question, answered by both.
        refusal: why the original is the one to keep; "" where the simpler one is equal.
    """

    content: bytes = field(repr=False)
    simplifier: str
    family: str
    notes: tuple[str, ...]
    before: Side
    after: Side | None
    checks: tuple[Check, ...]
    refusal: str


def optimise(
    path: Path,
    pictures: Mapping[str, BgrArray],
    *,
    shapes: Shapes,
    rng: np.random.Generator,
    told: Told = lambda _step: None,
) -> Optimised:
    """A simpler model that gives the same answers, or why the original is the one to keep. Writes nothing.

    Args:
        path: of the ONNX model; weights beside it are put into it.
        pictures: what a recognised model is asked besides noise: uint8 (height, width, 3) BGR, by name.
        shapes: of inputs that leave an axis open, for models whose family is not recognised.
        rng: draws the noise.
        told: hears of every step.

    Raises:
        ToolInputError: the model cannot be read, is not valid or does not run; or a shape is missing or wrong.
        ToolUnavailableError: what simplifies is not installed.
        OutputError: there is no room for a copy while it is compared.
    """
    with told_as_input(path):
        told("reading and checking")
        file, proto = read_model(path), read_whole(path)
        check_valid(path, proto)
        plan = recognised(path)
        questions = _questions(file, plan, pictures, shapes, rng)
        known = plan if isinstance(plan, DetectionPlan) else None
        read = _Read(path, file.precision, known, _notes(plan, shape_complaint(proto)), simplifier_version())
        before = Side(len(whole_bytes(path, proto)), len(proto.graph.node))
        told(f"simplifying with {read.simplifier}")
        try:
            simpler = simplify(proto)
        except EngineLoadError as error:
            return _outcome(read, before, refusal=str(error))
        with TemporaryDirectory(prefix="sitewatch-") as folder:
            return _verified(read, before, simpler, questions, Path(folder) / path.name, told)


@dataclass(frozen=True, eq=False)
class _Read:
    """What is known of the original."""

    path: Path
    precision: str
    plan: DetectionPlan | None
    notes: tuple[str, ...]
    simplifier: str


def _verified(
    read: _Read, before: Side, simpler: onnx.ModelProto, questions: tuple[Question, ...], file: Path, told: Told
) -> Optimised:
    content = whole_bytes(read.path, simpler)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{file.parent} cannot hold the model while it is compared: {error.strerror}") from error
    contest = Contest(read.path, file, read.precision, read.plan)
    checks = tuple(compared(contest, questions, told))
    refusal = next((check.told() for check in checks if not check.is_within), "") or _other_family(contest)
    after = Side(len(content), len(simpler.graph.node))
    if not refusal:
        told("measuring")
        before_ms, after_ms = _medians_ms(contest, questions[0])
        before, after = replace(before, median_ms=before_ms), replace(after, median_ms=after_ms)
    return _outcome(read, before, after, content, checks, refusal)


def _outcome(
    read: _Read,
    before: Side,
    after: Side | None = None,
    content: bytes = b"",
    checks: tuple[Check, ...] = (),
    refusal: str = "",
) -> Optimised:
    family = "" if read.plan is None else read.plan.family
    kept = b"" if refusal else content
    return Optimised(kept, read.simplifier, family, read.notes, before, after, checks, refusal)


def _questions(
    file: ModelFile,
    plan: DetectionPlan | str,
    pictures: Mapping[str, BgrArray],
    shapes: Shapes,
    rng: np.random.Generator,
) -> tuple[Question, ...]:
    if isinstance(plan, str):
        return plain_questions(file, shapes, rng)
    is_batch_open = any(spec.shape[0] is None for spec in file.inputs if spec.name == plan.image.name)
    return planned_questions(plan, pictures, rng, is_batch_open=is_batch_open)


def _notes(plan: DetectionPlan | str, complaint: str) -> tuple[str, ...]:
    notes = (
        [f"no family is recognised, so that tensors are compared and no boxes: {plan}"] if isinstance(plan, str) else []
    )
    return (*notes, f"the original's shapes: {complaint}") if complaint else tuple(notes)


def _other_family(contest: Contest) -> str:
    """Why the product would read the simpler model in another way than the original; or ""."""
    if contest.plan is None:
        return ""
    plan = recognised(contest.simpler)
    if isinstance(plan, str):
        return f"the simpler model is of no known family any more: {plan}"
    was, found = contest.plan, plan
    if (was.family, was.labels) != (found.family, found.labels):
        return f"the simpler model would be read as {found.family}, not as {was.family}"
    return ""


def _medians_ms(contest: Contest, question: Question) -> tuple[float, float]:
    """Of both, turn by turn, so that what else runs here slows both alike; one thread, after a warm-up."""
    image = None if contest.plan is None else contest.plan.image
    runs = [OnnxRun(path, image, optimised=True) for path in (contest.original, contest.simpler)]
    times = [[run.time_s(question.tensors) for run in runs] for _ in range(ROUNDS + 1)][1:]
    before_s, after_s = (statistics.median(column) for column in zip(*times, strict=True))
    return before_s * 1e3, after_s * 1e3
