"""Makes the parts of a bundle from models and pictures; what the models find is looked at on the reference."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.exam_questions import questions_of
from agent.detect.golden import tolerance_of
from agent.errors import DetectionError, ModelError, ToolInputError
from agent.models.bundle.arrays import Pictures, write_array
from agent.models.bundle.golden_parts import write_found
from agent.models.bundle.manifest import MANIFEST, THRESHOLD_KEYS, Manifest, PackedModel, Part, write_manifest
from agent.models.bundle.stills import stills
from agent.models.evaluate.engine_use import REFERENCE, open_engine
from agent.settings.models import DetectionSettings, ModelSettings
from agent.stream.frame import BgrArray
from devices.engines.coreml.package import is_core_ml
from devices.errors import DevicesError
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import answers_of
from trackers import Detections

LABELS, LICENCE_TEXT, CALIBRATION = "labels.txt", "LICENSE", "calibration.npy"


@dataclass(frozen=True, eq=False)
class Contents:
    """What shall be packed.

    Attributes:
        name: of the model.
        models: the same model in one or more precisions; the first is what a site gets that asks for none.
        settings: how they are fed and read.
        detection: the thresholds that go with it.
        pictures: golden ones, each uint8 (height, width, 3) BGR.
        licence: an SPDX expression.
        licence_text: or None.
        calibration: uint8 (N, height, width, 3) BGR in the model's size, or None.
        packed_with: names and versions of what packs it.
    """

    name: str
    models: tuple[Path, ...]
    settings: ModelSettings
    detection: DetectionSettings
    pictures: tuple[BgrArray, ...]
    licence: str
    licence_text: bytes | None = None
    calibration: Pictures | None = None
    packed_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Parts:
    """A bundle's parts in their order, the manifest first."""

    contents: Mapping[str, bytes]
    manifest: Manifest


@dataclass(frozen=True, eq=False)
class _Answered:
    """One precision of the model, and what it finds in the golden pictures."""

    path: Path
    content: bytes
    plan: DetectionPlan
    precision: str
    version: str
    found: tuple[Detections, ...]


def make_parts(contents: Contents) -> Parts:
    """Run every model on the golden pictures, and put all together.

    Raises:
        ModelError: a model cannot be used, or does not run.
        ToolInputError: the models are not the same one, or find nothing in the golden pictures.
    """
    answered = [_answered(contents, path) for path in contents.models]
    _refuse_unlike(answered)
    parts: dict[str, bytes] = {}
    models = []
    for each in answered:
        model = PackedModel(each.precision, f"{each.precision}/{contents.name}.onnx", f"golden/{each.precision}.json")
        parts[model.part], parts[model.golden] = each.content, write_found(each.found)
        models.append(model)
    plan = answered[0].plan
    parts[LABELS] = "".join(f"{label}\n" for label in plan.labels.texts).encode()
    pictures = {f"golden/{number}.npy": write_array(each) for number, each in enumerate(contents.pictures)}
    parts.update(pictures)
    if contents.licence_text is not None:
        parts[LICENCE_TEXT] = contents.licence_text
    if contents.calibration is not None:
        parts[CALIBRATION] = write_array(contents.calibration)
    manifest = Manifest(
        name=contents.name,
        models=tuple(models),
        feed=_feed(plan),
        thresholds={key: contents.detection.model_dump(mode="json")[key] for key in THRESHOLD_KEYS},
        labels=LABELS,
        pictures=tuple(pictures),
        licence=contents.licence,
        licence_text=None if contents.licence_text is None else LICENCE_TEXT,
        calibration=None if contents.calibration is None else CALIBRATION,
        packed_with={**contents.packed_with, REFERENCE.runtime: answered[0].version},
        parts={name: Part(hashlib.sha256(part).hexdigest(), len(part)) for name, part in parts.items()},
    )
    return Parts({MANIFEST: write_manifest(manifest), **parts}, manifest)


def _answered(contents: Contents, path: Path) -> _Answered:
    if is_core_ml(path):
        raise ToolInputError(f"{path}: only ONNX models can be packed; a Core ML package is a bundle of its own")
    settings = contents.settings.model_copy(update={"path": path})
    plan = plan_model(path, settings, contents.detection)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != plan.sha256:
        raise ToolInputError(f"{path}: keeps its weights in files beside it; save it in one file first")
    asked = questions_of(plan, stills(contents.pictures))
    try:
        with open_engine(plan, settings, REFERENCE) as engine:
            answers = answers_of(engine, Exam(asked.tensors, compare_tensors))
            precision, version = engine.spec.precision, engine.spec.runtime_version
        pairs = zip(answers, asked.letterboxes, strict=True)
        found = tuple(plan.exam_decoder.decode(answer, boxed)[0] for answer, boxed in pairs)
    except (DevicesError, DetectionError) as error:
        raise ModelError(f"{path}: does not run on {REFERENCE.name}: {error}") from error
    _refuse_nothing(path, precision, found)
    return _Answered(path, content, plan, precision, version, found)


def _refuse_nothing(path: Path, precision: str, found: Sequence[Detections]) -> None:
    """A bundle whose golden outputs are empty would be believed whatever its model does."""
    sure = tolerance_of(precision).sure_score
    if not any((each.scores >= sure).any() for each in found):
        raise ToolInputError(
            f"{path}: finds nothing of a score from {sure:g} in the golden pictures, so that nothing could be "
            "verified with them; name pictures in which it does, with --images"
        )


def _refuse_unlike(answered: Sequence[_Answered]) -> None:
    first = answered[0]
    for number, each in enumerate(answered[1:], start=1):
        if each.precision in {other.precision for other in answered[:number]}:
            raise ToolInputError(f"{each.path}: another model in {each.precision}; a bundle has one of each precision")
        for what, value in _nature(each.plan).items():
            if value != _nature(first.plan)[what]:
                raise ToolInputError(f"{each.path}: is not {first.path} in another precision: their {what} differ")


def _nature(plan: DetectionPlan) -> dict[str, Any]:
    """What two precisions of one model have in common."""
    return {
        "families": plan.family,
        "pictures": (plan.image.width_px, plan.image.height_px),
        "preprocessings": plan.preprocessing,
        "labels": plan.labels.texts,
    }


def _feed(plan: DetectionPlan) -> dict[str, Any]:
    """The keys of a site file that say all that was read off the model or taken from its family."""
    how = plan.preprocessing
    return {
        "family": plan.family,
        "input_size": f"{plan.image.width_px}x{plan.image.height_px}",
        "color_order": how.order,
        "mean": list(how.mean),
        "scale": list(how.scale),
        "fit": how.fit.value,
        "pad_value": how.pad_value,
    }
