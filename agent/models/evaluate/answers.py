"""What a model sees in annotated pictures, through the agent's own detector."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.clock import SystemClock
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.model_detector import ModelDetector
from agent.models.evaluate.coco_rows import CocoPicture
from agent.models.evaluate.engine_use import EngineUse, open_engine
from agent.models.evaluate.picture_files import read_frame
from agent.settings.models import DetectionSettings, ModelSettings
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller
from devices.engines.engine import Engine, EngineSpec
from trackers import Detections

# Precision is the mean over every recall: weak detections count too. These are usual for models of this size.
FOR_SCORING = DetectionSettings(score_threshold=0.01, iou_threshold=0.65, max_detections=300)

Progress = Callable[[int, int], None]
"""Called with how many pictures are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model on one engine saw.

    Attributes:
        plan: how the model was fed and read.
        engine: what it ran on.
        found: detections by picture id, in pixels of the picture.
    """

    plan: DetectionPlan
    engine: EngineSpec
    found: Mapping[int, Detections]


def ask_model(
    model: Path | ModelSettings,
    use: EngineUse,
    pictures: Sequence[CocoPicture],
    *,
    detection: DetectionSettings = FOR_SCORING,
    threads: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Answers:
    """Run a model on pictures, one after the other.

    Args:
        model: the file, or with what a site file would say of it (labels, family, precision).
        use: where it runs.
        pictures: read from their files when their turn comes.
        detection: thresholds; low ones, for precision.
        threads: of one inference; None takes every processor this process may use.
        progress: is told after every picture.

    Raises:
        ModelError: the model cannot be used.
        DetectionError: an inference failed.
        ToolInputError: a picture cannot be read.
        DevicesError: the engine cannot be made ready.
    """
    settings = as_settings(model)
    plan = plan_model(settings.path, settings, detection)
    return ask_engine(plan, settings, use, pictures, threads=threads, progress=progress)


def ask_engine(
    plan: DetectionPlan,
    model: ModelSettings,
    use: EngineUse,
    pictures: Sequence[CocoPicture],
    *,
    threads: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Answers:
    """The same for a model that is planned already.

    Raises:
        ModelError, DetectionError: the engine does not answer as the plan says, or fails.
        ToolInputError: a picture cannot be read.
        DevicesError: the engine cannot be made ready.
    """
    with open_engine(plan, model, use, threads=threads) as engine, _detector(plan, engine) as detector:
        found: dict[int, Detections] = {}
        for picture in pictures:
            found[picture.picture_id] = detector.detect([read_frame(picture)])[0]
            progress(len(found), len(pictures))
        return Answers(plan, engine.spec, found)


def as_settings(model: Path | ModelSettings) -> ModelSettings:
    """What a site file that names only the file says of it."""
    return model if isinstance(model, ModelSettings) else ModelSettings(path=model)


@contextmanager
def _detector(plan: DetectionPlan, engine: Engine) -> Iterator[ModelDetector]:
    """A detector of its own, which has answered once."""
    teller = Teller(CollectorRegistry(), logging.getLogger("sitewatch"))
    detector = ModelDetector(
        engine.session(),
        plan.as_loaded(engine.spec.inputs),
        runtime=engine.spec.runtime,
        clock=SystemClock(),
        happened=DetectHappenings(teller),
        stages=PipelineHappenings(teller),
    )
    try:
        detector.verify()
        yield detector
    finally:
        detector.close()
