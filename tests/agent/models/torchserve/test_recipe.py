"""A decoder as JSON, and made again."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from models.square_detectors import FAMILIES, build_detector

from agent.detect.decoders.decoder import Limits
from agent.detect.detection_plan import plan_model
from agent.detect.engine_request import make_request
from agent.detect.exam_questions import questions_of
from agent.models.bundle.stills import stills
from agent.models.torchserve.recipe import made_of, modules_in, recipe_of
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines import onnxruntime_engine
from devices.inventory import Accelerator, AcceleratorKind

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
LIMITS = Limits(np.full(2, 0.05, np.float32), 0.65, 100)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_familys_decoder(family: str, tmp_path: Path) -> None:
    """Made of its recipe, it reads an output as the one of the plan does."""
    settings = ModelSettings(path=build_detector(family, tmp_path / "squares.onnx"), labels=("red", "blue"))
    plan = plan_model(settings.path, settings, DetectionSettings())
    picture = np.full((360, 640, 3), 128, np.uint8)
    cv2.rectangle(picture, (100, 100), (163, 163), (0, 0, 255), -1)
    asked = questions_of(plan, stills([picture]))
    engine = onnxruntime_engine.load(make_request(plan, settings, CPU, threads=1, cache_dir=None))
    outputs = engine.session().infer(asked.tensors[0])

    recipe = json.loads(json.dumps(recipe_of(plan.decoder_for)))
    (found,) = made_of(recipe)(LIMITS).decode(outputs, asked.letterboxes[0])
    (expected,) = plan.decoder_for(LIMITS).decode(outputs, asked.letterboxes[0])

    assert modules_in(recipe) == {f"agent.detect.decoders.{family}"}
    assert len(found) >= 1
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_what_json_cannot_hold() -> None:
    """It is refused when the recipe is written, not when it is read in a server."""
    with pytest.raises(TypeError, match="a ndarray cannot be written as JSON"):
        recipe_of(partial(Limits, np.zeros(2)))
