"""Makes the site's detector ready: a model on the best engine of this machine, or the motion detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agent.app.engine_choice import EngineChoice, EngineChooser
from agent.app.happened import Happened
from agent.app.machine import Machine
from agent.clock import Clock
from agent.detect.decoders.exchangeable import ExchangeableDecoder
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.detector import Detector
from agent.detect.label_choice import LabelFilter
from agent.detect.model_detector import ModelDetector
from agent.detect.motion import MotionDetector
from agent.detect.moving_regions import MotionLimits
from agent.models.bundle.bundle import is_bundle
from agent.models.bundle.planning import plan_bundle
from agent.settings.models import CameraSettings, DetectionSettings, ModelSettings
from devices.engines.engine import BuildProgress, EngineRequest
from devices.inventory import AcceleratorKind

MOTION = "motion"
BUNDLES_FOLDER = "bundles"


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
        batch_wait_s: how long the first of them waits for the others.
        make_detector: one for each worker.
        close: lets go of the engine, after the workers' detectors were closed; may be called twice.
        fallback: why it runs on the processor although there is an accelerator; None where that is as it should be.
        plan: how the model is fed and read; None where there is no model.
        tell_exchanged: tells that it detects in the place of another.
        forget: lets go of what is remembered of a camera that never comes back, while none of its frames is under way.
        tune: takes the thresholds of another plan for the same model, from the next frame on; any thread.
    """

    model: str
    engine: str
    why: tuple[str, ...]
    labels: tuple[str, ...]
    workers: int
    batch: int
    batch_wait_s: float
    make_detector: Callable[[], Detector]
    close: Callable[[], None]
    fallback: str | None = None
    plan: DetectionPlan | None = None
    forget: Callable[[str], None] = lambda _camera_id: None
    tune: Callable[[DetectionPlan], None] = lambda _plan: None
    tell_exchanged: Callable[[], None] = lambda: None


def prepare_detection(
    model: str | ModelSettings,
    detection: DetectionSettings,
    cameras: Mapping[str, CameraSettings],
    machine: Machine,
    *,
    clock: Clock,
    happened: Happened,
    folder: Path | None,
    building: Callable[[str], None] = lambda _sentence: None,
) -> Detection:
    """Read the model, make it ready on the best engine, verify its answer.

    Args:
        model: `motion`, or the model.
        detection: which detections count.
        cameras: each may keep labels of its own.
        machine: what there is to choose from.
        clock: for everything that needs time.
        happened: is told what happens.
        folder: where engines and the choice among them are kept; None keeps nothing.
        building: is told how far the engines are.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: a label is named that the model does not have.
        EngineUnavailable: no engine here can run it.
        OutputError: it is a bundle, and the folder cannot be written.
    """
    if not isinstance(model, ModelSettings):
        return _motion(happened)
    plan = make_plan(model, detection, cameras, folder)
    happened.detect.plan_made(plan.told())
    if plan.batch_fault:
        happened.detect.batch_refused(plan.model, plan.batch_fault)
    began_s = clock.monotonic_s()
    restarted = partial(happened.detect.worker_restarted, plan.model)
    choice = make_chooser(plan, model, machine, clock, folder, building, restarted).choose()
    _tell_choice(plan.model, choice, clock.monotonic_s() - began_s, happened)
    return _on_engine(plan.as_loaded(choice.engine.spec.inputs), choice, model, clock, happened)


def make_plan(
    model: ModelSettings,
    detection: DetectionSettings,
    cameras: Mapping[str, CameraSettings],
    folder: Path | None = None,
) -> DetectionPlan:
    """How the site's model is fed and read, and that every label named is one of its own.

    Args:
        model: what the site file says of it.
        detection: which detections count.
        cameras: each may keep labels of its own.
        folder: the state folder, where a bundle is unpacked; None takes a temporary one, which goes with the plan.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: a label is named that the model does not have.
        OutputError: it is a bundle, and the folder cannot be written.
    """
    plan = read_plan(model, wanted_by_any(detection, cameras), folder)
    label_filters(plan.labels.texts, detection, cameras)  # a wrong label is told before minutes go into an engine
    return plan


def read_plan(model: ModelSettings, detection: DetectionSettings, folder: Path | None = None) -> DetectionPlan:
    """The same of a bare model or a bundle, for detections of any label.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: a threshold is of a label that the model does not have.
        OutputError: it is a bundle, and the folder cannot be written.
    """
    if is_bundle(model.path):
        return plan_bundle(model, detection, None if folder is None else folder / BUNDLES_FOLDER)
    return plan_model(model.path, model, detection)


def make_chooser(
    plan: DetectionPlan,
    model: ModelSettings,
    machine: Machine,
    clock: Clock,
    folder: Path | None,
    building: Callable[[str], None],
    restarted: Callable[[str], None] = lambda _sentence: None,
) -> EngineChooser:
    """Chooses the engine for the site's model.

    Args:
        plan: how the model is fed.
        model: what the site file says of it.
        machine: what there is to choose from.
        clock: for the time of the choice.
        folder: where engines and choices are kept; None keeps nothing.
        building: is told how far builds are.
        restarted: is told of every restart of an engine worker.
    """
    threads = model.threads or share_of_cores(machine.hardware().cpu_limit, model.sessions)
    if plan.bundled is not None and model.calibration is None:
        model = model.model_copy(update={"calibration": plan.bundled.calibration})

    def watched(request: EngineRequest) -> EngineRequest:
        def told(progress: BuildProgress) -> None:
            share = "" if progress.fraction is None else f", {progress.fraction:.0%}"
            building(f"{plan.model} on {request.accelerator.name}: {progress.step}{share}")

        return replace(request, build=replace(request.build, told=told, restarted=restarted))

    return EngineChooser(plan, model, machine, clock, folder, threads=threads, watched=watched)


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
    detector = MotionDetector(MotionLimits(), happened.detect)
    return Detection(
        model=MOTION,
        engine="built in",
        why=("the site file asks for the motion detector",),
        labels=(MOTION,),
        workers=1,
        batch=1,
        batch_wait_s=0.0,
        make_detector=lambda: detector,  # there is one worker, and closed it begins anew
        close=lambda: None,
        forget=detector.forget,
        tell_exchanged=partial(happened.detect.engine_exchanged, MOTION, "built in", "processor"),
    )


def _on_engine(
    plan: DetectionPlan, choice: EngineChoice, model: ModelSettings, clock: Clock, happened: Happened
) -> Detection:
    spec = choice.engine.spec
    decoder = ExchangeableDecoder(plan.decoder)
    fed_and_read = replace(plan, decoder=decoder)

    def make_detector() -> ModelDetector:
        return ModelDetector(
            choice.engine.session(),
            fed_and_read,
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
        workers=model.sessions,
        batch=plan.batch,
        batch_wait_s=float(model.batch_wait),
        make_detector=make_detector,
        close=choice.engine.close,
        fallback=_fallback(choice),
        plan=plan,
        tune=lambda other: decoder.exchange(other.decoder),
        tell_exchanged=partial(happened.detect.engine_exchanged, plan.model, spec.runtime, spec.accelerator.name),
    )


def _fallback(choice: EngineChoice) -> str | None:
    """That a slower engine than the accelerator's own is chosen is as it should be; that none of its works is not."""
    if choice.chosen.candidate.kind is not AcceleratorKind.CPU:
        return None
    refused = [verdict.sentence for verdict in choice.verdicts
               if verdict.is_refused and verdict.candidate.kind is not AcceleratorKind.CPU]  # fmt: skip
    return f"the model runs on the processor: {'; '.join(refused)}" if refused else None


def _tell_choice(model: str, choice: EngineChoice, seconds: float, happened: Happened) -> None:
    spec = choice.engine.spec
    if choice.forgot:
        happened.detect.choice_forgotten(model, choice.forgot)
    for verdict in choice.verdicts:
        if verdict.is_chosen:
            kept = "" if choice.kept_since is None else f"as measured on {choice.kept_since:%Y-%m-%d %H:%M} UTC"
            reason = "; ".join(filter(None, (verdict.reason, kept, *spec.notes)))
            happened.detect.engine_loaded(
                model, spec.runtime, spec.runtime_version, spec.accelerator.name, reason, seconds
            )
        elif choice.kept_since is None and verdict.is_refused:
            happened.detect.engine_fell_back(model, verdict.candidate.name, verdict.reason)
