"""Holds a converted model against ONNX Runtime: box for box on pictures, number for number on noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from agent.detect.agreement import TOLERANCES
from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import questions_of
from agent.models.convert.conversion import Check, Made, Witness
from agent.models.evaluate.engine_use import REFERENCE, open_engine
from agent.models.evaluate.picture_files import make_frame
from agent.settings.models import ModelSettings
from devices.engines.engine import Tensors
from devices.trials.exam import Difference, Exam, compare_tensors
from devices.trials.trial import answers_of

NOISES = 2
_RANKED = ("detr", "end2end")


class Checker:
    """What the model answers on ONNX Runtime, and how near others come to it."""

    def __init__(self, plan: DetectionPlan, model: ModelSettings, exam: Exam, rng: np.random.Generator) -> None:
        """Ask the model itself.

        Args:
            plan: how it is fed.
            model: what a site file would say of it.
            exam: pictures, and the judge of answers to them.
            rng: draws the noise.

        Raises:
            DevicesError: it does not run on ONNX Runtime.
        """
        size = (plan.image.height_px, plan.image.width_px, 3)
        self._plan, self._exam = plan, exam
        self._noise = [make_frame(rng.integers(0, 256, size, np.uint8)) for _ in range(NOISES)]
        noise = questions_of(plan, self._noise).tensors
        with open_engine(plan, model, REFERENCE) as engine:
            self._pictures_right = answers_of(engine, exam)
            self._noise_right = answers_of(engine, Exam(noise, compare_tensors))
            self.reference = f"ONNX Runtime {engine.spec.runtime_version}"

    def checks(self, made: Made, exam: Exam) -> Iterator[Check]:
        """Every witness of the result, on pictures and on noise.

        Args:
            made: the result.
            exam: the same pictures, laid in as the result's own plan says.

        Raises:
            DevicesError: a witness fails.
        """
        noise = questions_of(made.plan, self._noise).tensors
        for witness in made.witnesses:
            given = self._answers(made, witness, exam.questions)
            yield _check("pictures", witness, self._exam.judge(self._pictures_right, given, witness.precision))
            given = self._answers(made, witness, noise)
            yield _check("noise", witness, self._compared(given, witness.precision))

    def _answers(self, made: Made, witness: Witness, questions: tuple[Tensors, ...]) -> tuple[Tensors, ...]:
        """Under the model's own names."""
        names = made.output_names
        return tuple({own: answer[name] for own, name in names.items()} for answer in witness.ask(questions))

    def _compared(self, given: tuple[Tensors, ...], precision: str) -> Difference:
        """Number by number; of a list that the model itself sorts, only its scores.

        Where two rows are nearly the same, rounding swaps them.
        """
        if self._plan.family not in _RANKED:
            return compare_tensors(self._noise_right, given, precision)
        pairs = zip(self._noise_right, given, strict=True)
        off = max(float(np.abs(_scores(self._plan, one) - _scores(self._plan, other)).max()) for one, other in pairs)
        allowed = TOLERANCES.get(precision, TOLERANCES["fp32"]).score
        return Difference(f"scores in their order within {off:.1e}", is_within=off <= allowed)


def _scores(plan: DetectionPlan, answer: Tensors) -> npt.NDArray[np.float32]:
    if plan.family == "detr":
        return answer["scores"]
    return next(table[..., 4] for table in answer.values() if table.ndim == 3)


def _check(asked: str, witness: Witness, difference: Difference) -> Check:
    return Check(asked, witness.name, witness.precision, difference.text, difference.is_within)
