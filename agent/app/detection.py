"""Makes the site's detector ready: a model on the best engine of this machine, or the motion detector."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.app.happened import Happened
from agent.clock import Clock
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.detector import Detector
from agent.detect.label_choice import LabelFilter
from agent.detect.model_detector import ModelDetector
from agent.detect.motion import MotionDetector
from agent.detect.moving_regions import MotionLimits
from agent.settings.models import CameraSettings, DetectionSettings, ModelSettings
from devices.engines.engine import EngineRequest
from devices.inventory import Accelerator, Inventory
from devices.measurement import Stopwatch
from devices.selection import Choice, candidates, choose

MOTION = "motion"


@dataclass(frozen=True, eq=False)
class Detection:
    """The site's detector, ready to be given to workers.

    Attributes:
        model: its name for people: the file's name without its ending, or `motion`.
        engine: the run-time, its version and where it runs; for people.
        why: a sentence for every run-time that drives something here: chosen, slower, or why it cannot.
        labels: of every class id.
        workers: how many may detect at once.
        batch: frames in one inference, at most.
        make_detector: one for each worker.
        close: lets go of the engine, after the workers' detectors were closed; may be called twice.
    """

    model: str
    engine: str
    why: tuple[str, ...]
    labels: tuple[str, ...]
    workers: int
    batch: int
    make_detector: Callable[[], Detector]
    close: Callable[[], None]


def prepare_detection(
    model: str | ModelSettings,
    detection: DetectionSettings,
    cameras: Mapping[str, CameraSettings],
    inventory: Inventory,
    *,
    clock: Clock,
    happened: Happened,
    cache_dir: Path | None,
) -> Detection:
    """Read the model, make it ready on every engine that can, keep the fastest; its answer is verified.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: a label is named that the model does not have.
        EngineUnavailable: no engine here can run it.
    """
    if not isinstance(model, ModelSettings):
        return _motion(happened)
    plan = plan_model(model.path, model, wanted_by_any(detection, cameras))
    label_filters(plan.labels.texts, detection, cameras)  # a wrong label is told before minutes go into an engine
    happened.detect.plan_made(plan.told())
    threads = model.threads or share_of_cores(inventory.cpu_limit, model.sessions)

    def request(accelerator: Accelerator) -> EngineRequest:
        return EngineRequest(
            model.path,
            accelerator,
            image=plan.image,
            threads=threads,
            sessions=model.sessions,
            batch=plan.engine_batch,
            cache_dir=cache_dir,
        )

    began_s = clock.monotonic_s()
    choice = choose(candidates(inventory, model.engine), request, Stopwatch(time.perf_counter, time.process_time))
    _tell_choice(plan.model, choice, clock.monotonic_s() - began_s, happened)
    return _on_engine(plan, choice, model.sessions, clock, happened)


def wanted_by_any(detection: DetectionSettings, cameras: Mapping[str, CameraSettings]) -> DetectionSettings:
    """The detection section with the labels that at least one camera wants; each camera filters its own later."""
    wanted = [_keep_labels(detection, camera) for camera in cameras.values()]
    union = None if None in wanted else tuple({label for labels in wanted if labels for label in labels})
    return detection.model_copy(update={"keep_labels": union})


def label_filters(
    labels: tuple[str, ...], detection: DetectionSettings, cameras: Mapping[str, CameraSettings]
) -> dict[str, LabelFilter]:
    """What counts on each camera.

    Raises:
        SettingsError: a label is named that the model does not have.
    """
    return {
        camera_id: LabelFilter(labels, _keep_labels(detection, camera), _keep_labels_key(camera_id, camera))
        for camera_id, camera in cameras.items()
    }


def _keep_labels(detection: DetectionSettings, camera: CameraSettings) -> tuple[str, ...] | None:
    return detection.keep_labels if camera.keep_labels is None else camera.keep_labels


def _keep_labels_key(camera_id: str, camera: CameraSettings) -> str:
    return "detection.keep_labels" if camera.keep_labels is None else f"cameras.{camera_id}.keep_labels"


def share_of_cores(cpu_limit: float, sessions: int) -> int:
    """Threads of one inference: half of the cores, shared by the sessions; the other half decodes."""
    return max(1, int(cpu_limit / 2) // sessions)


def _motion(happened: Happened) -> Detection:
    happened.detect.plan_made("motion: the built-in motion detector; it sees that something moves, not what it is")
    return Detection(
        model=MOTION,
        engine="built in",
        why=("the site file asks for the motion detector",),
        labels=(MOTION,),
        workers=1,
        batch=1,
        make_detector=lambda: MotionDetector(MotionLimits(), happened.detect),
        close=lambda: None,
    )


def _on_engine(plan: DetectionPlan, choice: Choice, sessions: int, clock: Clock, happened: Happened) -> Detection:
    spec = choice.engine.spec

    def make_detector() -> ModelDetector:
        return ModelDetector(
            choice.engine.session(),
            plan,
            runtime=spec.runtime,
            clock=clock,
            happened=happened.detect,
            stages=happened.pipeline,
        )

    first = make_detector()
    try:
        first.verify()
    except BaseException:
        choice.engine.close()
        raise
    finally:
        first.close()
    return Detection(
        model=plan.model,
        engine=f"{spec.runtime} {spec.runtime_version} on {spec.accelerator.name}",
        why=tuple(verdict.sentence for verdict in choice.verdicts if verdict.candidate.runtime),
        labels=plan.labels.texts,
        workers=sessions,
        batch=plan.batch,
        make_detector=make_detector,
        close=choice.engine.close,
    )


def _tell_choice(model: str, choice: Choice, seconds: float, happened: Happened) -> None:
    spec = choice.engine.spec
    for verdict in choice.verdicts:
        if verdict.is_chosen:
            reason = "; ".join((verdict.reason, *spec.notes))
            happened.detect.engine_loaded(
                model, spec.runtime, spec.runtime_version, spec.accelerator.name, reason, seconds
            )
        elif verdict.measurement is None and verdict.candidate.availability.usable:
            happened.detect.engine_fell_back(model, verdict.candidate.name, verdict.reason)
