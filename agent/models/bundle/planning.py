"""How the model of a bundle is fed and read, with what it must find beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.golden import Bundled, Golden
from agent.errors import ModelError
from agent.models.bundle.laying import laid_detection, laid_model, packed_detection, packed_model
from agent.models.bundle.manifest import FEED_KEYS
from agent.models.bundle.unpacking import Unpacked, unpack
from agent.settings.models import DetectionSettings, ModelSettings, Record

# Of the thresholds those by which the golden outputs were found; scores were not looked at.
_LIMITS = ("iou_threshold", "max_detections")


def plan_bundle(model: ModelSettings, detection: DetectionSettings, folder: Path | None) -> DetectionPlan:
    """Read the bundle that a site file names, and decide how its model is fed and read.

    Args:
        model: what the site file says of it; `path` is the bundle's.
        detection: which detections count.
        folder: where bundles are unpacked; None takes a temporary one, which goes with the plan.

    Raises:
        ModelError: the bundle is not wholly what was packed, or its model cannot be used.
        SettingsError: a label is named that the model does not have.
        OutputError: the folder cannot be written.
    """
    unpacked = unpack(model.path, folder, model.precision)
    with _named(unpacked):
        laid, limits = laid_model(unpacked, model), laid_detection(unpacked, detection, model)
        plan = plan_model(laid.path, laid, limits)
        packed, packed_limits = packed_model(unpacked), packed_detection(unpacked)
        is_same = _equal(laid, packed, FEED_KEYS)
        is_alike = is_same and _equal(limits, packed_limits, _LIMITS)
        own = plan if is_alike else plan_model(packed.path, packed, packed_limits)
    bundled = Bundled(
        path=unpacked.path,
        sha256=unpacked.sha256,
        golden=Golden(unpacked.pictures, unpacked.found),
        plan=own,
        is_fed_as_packed=is_same,
        calibration=unpacked.calibration,
        keeps=unpacked,
    )
    origin = "the bundle" if model.labels is None else plan.labels.origin
    return replace(plan, labels=replace(plan.labels, origin=origin), bundled=bundled)


def _equal(one: Record, other: Record, keys: tuple[str, ...]) -> bool:
    return all(getattr(one, key) == getattr(other, key) for key in keys)


@contextmanager
def _named(unpacked: Unpacked) -> Iterator[None]:
    """Errors name the bundle, not the folder that it was unpacked into."""
    try:
        yield
    except ModelError as error:
        told = str(error).replace(f"{unpacked.folder}/", f"{unpacked.path}: ")
        raise ModelError(told if str(unpacked.path) in told else f"{unpacked.path}: {told}") from error
