"""Examines engines with real pictures before they are trusted."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib import resources

import cv2
import numpy as np

from agent.detect.agreement import BoxJudge
from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import ClockSource, Frame, FrameInfo
from devices.engines.engine import Tensors
from devices.trials.exam import Exam

PICTURES = ("astronaut.jpg", "cat_and_cup.jpg")


def make_exam(plan: DetectionPlan) -> Exam:
    """Questions for engines made ready for `plan`, and the judge of their answers."""
    canvas = Canvas(plan.batch, _size(plan), plan.preprocessing.fit, plan.preprocessing.pad_value)
    questions, letterboxes = [], []
    for name in PICTURES:
        boxed = canvas.paint([_frame(name)] * plan.batch)
        questions.append(_question(plan, canvas))
        letterboxes.append(boxed)
    judge = BoxJudge(plan.exam_decoder, tuple(letterboxes))
    return Exam(tuple(questions), judge)


def _question(plan: DetectionPlan, canvas: Canvas) -> Tensors:
    question: Tensors = {plan.image.name: canvas.pixels.copy()}
    if plan.size_input is not None:
        size = np.array(_size(plan), plan.size_input.dtype)
        question[plan.size_input.name] = np.tile(size, (plan.batch, 1))
    return question


def _size(plan: DetectionPlan) -> tuple[int, int]:
    return plan.image.width_px, plan.image.height_px


def _frame(name: str) -> Frame:
    content = resources.files("agent.app").joinpath("exam_pictures", name).read_bytes()
    picture = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    height_px, width_px = picture.shape[:2]
    began = datetime.fromtimestamp(0, timezone.utc)
    info = FrameInfo("exam", 1, began, ClockSource.HOST, 0.0, width_px, height_px)
    return Frame(info, ArrayPicture(picture))
