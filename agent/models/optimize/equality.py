"""Whether two graphs answer the same: tensor by tensor, and box for box where their answers are boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.agreement import Tolerance, compare_boxes
from agent.detect.detection_plan import DetectionPlan
from agent.errors import DetectionError
from agent.models.optimize.questions import Question
from devices.engines.engine import Tensors
from devices.engines.tensor_check import as_float32
from devices.errors import EngineLoadError, InferenceError
from devices.models.onnx_running import OnnxRun
from devices.trials.exam import Difference

# Of the range of a tensor. Folding a scale into weights moves the last bits of single precision: 1e-6, seen in tests.
ALLOWED = {"fp32": 1e-4, "fp16": 1e-2, "int8": 1e-2}
BOXES = Tolerance(score=0.001, iou=0.999, sure_score=0.1, missing=0.0)


@dataclass(frozen=True)
class Check:
    """One question answered by both.

    Attributes:
        question: its name.
        is_optimised: ONNX Runtime's own optimisations were on.
        off: greatest difference of an element, as part of its tensor's range; infinite where it is no number, or the
            shapes, types or whole numbers differ.
        worst: the output it is of.
        allowed: how far apart they may be.
        boxes: the same box for box; None for noise, and for models whose boxes the product cannot read.
        failure: why the simpler one gave no answer, or one that cannot be measured; or "".
    """

    question: str
    is_optimised: bool
    off: float
    worst: str
    allowed: float
    boxes: Difference | None = None
    failure: str = ""

    @property
    def is_within(self) -> bool:
        """Whether the two are the same, as far as is allowed."""
        return self.off <= self.allowed and (self.boxes is None or self.boxes.is_within)

    def told(self) -> str:
        """In one clause, for people."""
        how = "on" if self.is_optimised else "off"
        if self.failure:
            return f"{self.question}, ONNX Runtime's optimisations {how}: {self.failure}"
        found = "equal" if self.off == 0 else f"{self.worst} differs by {self.off:.1e} of its range"
        boxes = "" if self.boxes is None else f"; {self.boxes.text}"
        return f"{self.question}, ONNX Runtime's optimisations {how}: {found}{boxes}"


@dataclass(frozen=True)
class Contest:
    """The two to compare.

    Attributes:
        original, simpler: their files.
        precision: fp32, fp16 or int8, of most weights.
        plan: how the product feeds and reads them; None for a family it does not know.
    """

    original: Path
    simpler: Path
    precision: str
    plan: DetectionPlan | None


def compared(
    contest: Contest, questions: Sequence[Question], told: Callable[[str], None] = lambda _step: None
) -> Iterator[Check]:
    """Ask both every question, first node by node as their graphs are, then as ONNX Runtime makes them by default.

    With its optimisations on, the two may be as far apart as these move the original itself, if that is more than what
    is allowed: it fuses two graphs in two ways, and sums then come in another order.

    Raises:
        InferenceError: the original does not take a question.
        EngineLoadError: ONNX Runtime refuses the original.
    """
    image = None if contest.plan is None else contest.plan.image
    allowed = ALLOWED.get(contest.precision, ALLOWED["fp32"])
    plain: dict[str, Tensors] = {}
    for is_optimised in (False, True):
        told("comparing, ONNX Runtime's optimisations " + ("on" if is_optimised else "off"))
        one = OnnxRun(contest.original, image, optimised=is_optimised)
        try:
            other = OnnxRun(contest.simpler, image, optimised=is_optimised)
        except EngineLoadError as error:
            yield Check("loading", is_optimised, math.inf, "", allowed, failure=f"the simpler model: {error}")
            return
        for question in questions:
            right = _answer(one, question)
            if right is None:
                continue
            own, _ = difference(plain.setdefault(question.name, right), right)
            got, failure = _answer_or_failure(other, question)
            off, worst = (math.inf, "") if failure else difference(right, got)
            failure = failure or (_unlike(worst, right[worst], got.get(worst)) if math.isinf(off) else "")
            may = max(allowed, own if math.isfinite(own) else 0.0)
            boxes = None if math.isinf(off) else _boxes(contest, question, right, got)
            yield Check(question.name, is_optimised, off, worst, may, boxes, failure)


def difference(right: Tensors, got: Tensors) -> tuple[float, str]:
    """The greatest difference of an element as part of the range of its tensor, and the name of that tensor."""
    off = {name: _off(array, got.get(name)) for name, array in right.items()}
    worst = max(off, key=lambda name: off[name], default="")
    return off.get(worst, 0.0), worst


def _answer(run: OnnxRun, question: Question) -> Tensors | None:
    try:
        return run.answer(question.tensors)
    except InferenceError:
        if question.may_fail:
            return None
        raise


def _answer_or_failure(run: OnnxRun, question: Question) -> tuple[Tensors, str]:
    try:
        return run.answer(question.tensors), ""
    except InferenceError as error:
        return {}, f"the simpler model: {error}"


def _unlike(name: str, right: npt.NDArray[Any], got: npt.NDArray[Any] | None) -> str:
    """Why a difference cannot be measured."""
    if got is None:
        return f"{name} is missing"
    if (got.shape, got.dtype) != (right.shape, right.dtype):
        was, found = (f"{array.dtype} {'x'.join(map(str, array.shape))}" for array in (right, got))
        return f"{name} was {was} and came as {found}"
    return f"{name} has other whole numbers" if right.dtype.kind != "f" else f"{name} is no number in other places"


def _off(right: npt.NDArray[Any], got: npt.NDArray[Any] | None) -> float:
    if got is None or got.shape != right.shape or got.dtype != right.dtype:
        return math.inf
    if np.array_equal(right, got, equal_nan=right.dtype.kind == "f"):
        return 0.0
    if right.dtype.kind != "f" or not np.array_equal(np.isfinite(right), np.isfinite(got)):
        return math.inf
    is_number = np.isfinite(right)
    if not np.array_equal(right[~is_number], got[~is_number], equal_nan=True):
        return math.inf
    one, other = right[is_number].astype(np.float64), got[is_number].astype(np.float64)
    return float(np.max(np.abs(one - other), initial=0.0)) / max(float(np.ptp(one)) if one.size else 0.0, 1e-6)


def _boxes(contest: Contest, question: Question, right: Tensors, got: Tensors) -> Difference | None:
    if contest.plan is None or not question.letterboxes:
        return None
    decode = contest.plan.exam_decoder.decode
    try:
        ours, theirs = (
            decode({name: as_float32(array) for name, array in answer.items()}, question.letterboxes)
            for answer in (right, got)
        )
    except DetectionError as error:
        return Difference(f"its answer cannot be read: {error}", is_within=False)
    return compare_boxes(list(zip(ours, theirs, strict=True)), BOXES)
