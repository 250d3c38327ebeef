"""What a model and its simpler twin are both asked: noise, and real pictures laid in as the product does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import questions_of
from agent.detect.letterbox import Letterbox
from agent.models.evaluate.picture_files import make_frame
from agent.models.recognised import Shapes, input_shapes
from agent.stream.frame import BgrArray
from devices.engines.engine import Tensors, TensorSpec
from devices.engines.model_file import ModelFile

NOISES = 3


@dataclass(frozen=True, eq=False)
class Question:
    """One inference to compare.

    Attributes:
        name: for people: "noise 1", "street.jpg".
        tensors: by the model's input names; under that of a recognised model's picture, uint8 (N, height, width, 3).
        letterboxes: of each picture, where it shows something; empty for noise.
        may_fail: the original need not take it: an open batch that works for one picture only.
    """

    name: str
    tensors: Tensors
    letterboxes: tuple[Letterbox, ...] = ()
    may_fail: bool = False


def planned_questions(
    plan: DetectionPlan, pictures: Mapping[str, BgrArray], rng: np.random.Generator, *, is_batch_open: bool
) -> tuple[Question, ...]:
    """For a model whose family is recognised: noise as pictures, two at once where it takes them, and the pictures.

    Args:
        plan: how the model is fed.
        pictures: uint8 (height, width, 3) BGR, by name.
        rng: draws the noise.
        is_batch_open: the model itself leaves its batch open.
    """
    one = (plan.image.height_px, plan.image.width_px, 3)
    rows = [plan.batch] * (NOISES - 1) + [2 if is_batch_open else plan.batch]
    found = [
        Question(f"noise {number}", _fed(plan, rng.integers(0, 256, (count, *one), np.uint8)), may_fail=is_batch_open)
        for number, count in enumerate(rows, start=1)
    ]
    shown = questions_of(plan, [make_frame(picture) for picture in pictures.values()])
    for name, tensors, letterboxes in zip(pictures, shown.tensors, shown.letterboxes, strict=True):
        found.append(Question(name, tensors, tuple(letterboxes)))
    return tuple(found)


def plain_questions(model: ModelFile, shapes: Shapes, rng: np.random.Generator) -> tuple[Question, ...]:
    """For any other model: noise only, of the shapes its inputs have; integers are ones.

    Args:
        model: as its file describes it.
        shapes: of inputs that leave an axis open, by name.
        rng: draws the noise.

    Raises:
        ToolInputError: a shape is missing, or does not fit its input.
    """
    known = input_shapes(model, shapes)
    return tuple(
        Question(f"noise {number}", {spec.name: _noise(spec, known[spec.name], rng) for spec in model.inputs})
        for number in range(1, NOISES + 1)
    )


def _fed(plan: DetectionPlan, pixels: BgrArray) -> Tensors:
    tensors: Tensors = {plan.image.name: pixels}
    if plan.size_input is not None:
        size = np.array((plan.image.width_px, plan.image.height_px), plan.size_input.dtype)
        tensors[plan.size_input.name] = np.tile(size, (len(pixels), 1))
    return tensors


def _noise(spec: TensorSpec, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[Any]:
    dtype = np.dtype(spec.dtype)
    return rng.standard_normal(shape).astype(dtype) if dtype.kind == "f" else np.ones(shape, dtype)
