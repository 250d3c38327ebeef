"""Holds a converted model against ONNX Runtime on pictures and noise: box for box, or else number for number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.detect.agreement import TOLERANCES, compare_boxes
from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import Questions, questions_of
from agent.errors import DetectionError
from agent.models.convert.conversion import Check, Made
from agent.models.evaluate.engine_use import REFERENCE, open_engine
from agent.models.evaluate.picture_files import make_frame
from agent.settings.models import ModelSettings
from agent.stream.frame import BgrArray, Frame
from devices.engines.engine import Tensors
from devices.trials.exam import LIMITS, Difference, Exam, compare_tensors
from devices.trials.trial import answers_of
from trackers import Detections

NOISES = 2
_SHARE = 0.99
_RANKED = ("detr", "end2end")
"""Families whose answer is a list that the model itself sorts; where two are nearly the same, rounding swaps rows."""


@dataclass(frozen=True, eq=False)
class _Round:
    """Frames that both are shown, and what the model itself answers.

    Attributes:
        name: "pictures" or "noise".
        frames: what is shown.
        asked: laid in as the model's plan says.
        right: ONNX Runtime's answers.
    """

    name: str
    frames: tuple[Frame, ...]
    asked: Questions
    right: tuple[Tensors, ...]


class Checker:
    """What the model answers on ONNX Runtime, and how near others come to it."""

    def __init__(
        self, plan: DetectionPlan, model: ModelSettings, pictures: Sequence[BgrArray], rng: np.random.Generator
    ) -> None:
        """Ask the model itself.

        Args:
            plan: how it is fed.
            model: what a site file would say of it.
            pictures: real ones, each uint8 (height, width, 3) BGR.
            rng: draws the noise.

        Raises:
            DevicesError: it does not run on ONNX Runtime.
        """
        size = (plan.image.height_px, plan.image.width_px, 3)
        noise = [rng.integers(0, 256, size, np.uint8) for _ in range(NOISES)]
        self._plan = plan
        with open_engine(plan, model, REFERENCE) as engine:
            self.reference = f"ONNX Runtime {engine.spec.runtime_version}"
            self._rounds = []
            for name, shown in (("pictures", pictures), ("noise", noise)):
                frames = tuple(map(make_frame, shown))
                asked = questions_of(plan, frames)
                right = answers_of(engine, Exam(asked.tensors, compare_tensors))
                self._rounds.append(_Round(name, frames, asked, right))

    def checks(self, made: Made) -> Iterator[Check]:
        """Every witness of the result, on pictures and on noise.

        Raises:
            DevicesError: a witness fails.
        """
        for witness in made.witnesses:
            for each in self._rounds:
                questions = questions_of(made.plan, each.frames).tensors
                names = made.output_names.items()
                given = tuple({own: answer[name] for own, name in names} for answer in witness.ask(questions))
                found = self._compared(each, given, witness.precision)
                yield Check(each.name, witness.name, witness.precision, found.text, found.is_within)

    def _compared(self, asked: _Round, given: tuple[Tensors, ...], precision: str) -> Difference:
        """By boxes where there are any, else number by number."""
        tolerance = TOLERANCES.get(precision, TOLERANCES["fp32"])
        try:
            pairs = list(zip(self._boxes(asked, asked.right), self._boxes(asked, given), strict=True))
        except DetectionError as error:
            return Difference(f"its answer cannot be read: {error}", is_within=False)
        boxes = compare_boxes(pairs, tolerance)
        if boxes is not None:
            return boxes
        if self._plan.family not in _RANKED:
            return _numbers(asked.right, given, LIMITS.get(precision, LIMITS["fp32"]))
        answers = zip(asked.right, given, strict=True)
        off = max(float(np.abs(_scores(self._plan, one) - _scores(self._plan, other)).max()) for one, other in answers)
        return Difference(f"scores in their order within {off:.1e}", is_within=off <= tolerance.score)

    def _boxes(self, asked: _Round, answers: tuple[Tensors, ...]) -> list[Detections]:
        rows = zip(answers, asked.asked.letterboxes, strict=True)
        return [found for answer, boxed in rows for found in self._plan.exam_decoder.decode(answer, boxed)]


def _numbers(right: tuple[Tensors, ...], given: tuple[Tensors, ...], limit: float) -> Difference:
    """Number by number, as part of the range of the number's tensor.

    A hundredth may be farther off: the edges of boxes where nothing is are often a division of two nearly noughts.
    """
    most, usual, worst = 0.0, 0.0, ""
    for one, other in zip(right, given, strict=True):
        for name, array in one.items():
            got = other.get(name)
            if got is None or got.shape != array.shape or not np.isfinite(got).all():
                return Difference(f"output {name} has another shape, is not there or not finite", is_within=False)
            if not array.size:
                continue
            off = np.abs(got.astype(np.float64) - array) / max(float(np.ptp(array)), 1e-6)
            most = max(most, float(off.max()))
            if (part := float(np.quantile(off, _SHARE))) >= usual:
                usual, worst = part, name
    text = f"{_SHARE:.0%} of the numbers within {usual:.1e} of the range of {worst}, all within {most:.1e}"
    return Difference(text, is_within=usual <= limit)


def _scores(plan: DetectionPlan, answer: Tensors) -> npt.NDArray[np.float32]:
    if plan.family == "detr":
        return answer["scores"]
    return next(table[..., 4] for table in answer.values() if table.ndim == 3)
