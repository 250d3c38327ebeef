"""Examines engines with real pictures before they are trusted."""

from __future__ import annotations

from importlib import resources

import cv2
import numpy as np

from agent.detect.agreement import BoxJudge
from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import questions_of
from agent.detect.golden import GoldenJudge
from agent.models.bundle.stills import stills
from agent.stream.frame import BgrArray
from devices.trials.exam import Exam

PICTURES = ("astronaut.jpg", "cat_and_cup.jpg")


def make_exam(plan: DetectionPlan) -> Exam:
    """Questions for engines made ready for `plan`, and the judge of their answers.

    A model out of a bundle is shown its golden pictures; where it is fed as it was packed, it must find what is
    told there, whatever the reference finds.
    """
    bundled = plan.bundled
    pictures = standard_pictures() if bundled is None else bundled.golden.pictures
    asked = questions_of(plan, stills(pictures))
    if bundled is None or not bundled.is_fed_as_packed:
        return Exam(asked.tensors, BoxJudge(plan.exam_decoder, asked.letterboxes))
    judge = GoldenJudge(bundled.plan.exam_decoder, asked.letterboxes, bundled.golden.found)
    return Exam(asked.tensors, judge)


def standard_pictures() -> tuple[BgrArray, ...]:
    """Those that come with sitewatch, each uint8 (height, width, 3) BGR."""
    return tuple(_picture(name) for name in PICTURES)


def _picture(name: str) -> BgrArray:
    content = resources.files("agent.app").joinpath("exam_pictures", name).read_bytes()
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
