"""Pictures as questions to an engine, laid in as a plan says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.detect.letterbox import Letterbox
from agent.stream.frame import Frame
from devices.engines.engine import Tensors


class Questions(NamedTuple):
    """One inference a picture, and how each of its rows was laid in."""

    tensors: tuple[Tensors, ...]
    letterboxes: tuple[list[Letterbox], ...]


def questions_of(plan: DetectionPlan, frames: Sequence[Frame]) -> Questions:
    """Ask for each frame; it fills every row of the plan's batch."""
    size = plan.image.width_px, plan.image.height_px
    canvas = Canvas(plan.batch, size, plan.preprocessing.fit, plan.preprocessing.pad_value)
    tensors, letterboxes = [], []
    for frame in frames:
        letterboxes.append(canvas.paint([frame] * plan.batch))
        question: Tensors = {plan.image.name: canvas.pixels.copy()}
        if plan.size_input is not None:
            question[plan.size_input.name] = np.tile(np.array(size, plan.size_input.dtype), (plan.batch, 1))
        tensors.append(question)
    return Questions(tuple(tensors), tuple(letterboxes))
