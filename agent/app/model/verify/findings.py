"""What was found out about a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.detect.golden import Bundled
from agent.errors import ModelError
from agent.models.bundle.arrays import read_array
from agent.models.bundle.bundle import Bundle, opened
from agent.models.bundle.fault import FaultError
from agent.models.bundle.manifest import Manifest
from agent.models.bundle.planning import plan_bundle
from agent.models.bundle.verifying import Verified, not_golden, verify_on
from agent.models.evaluate.engine_use import REFERENCE, EngineUse
from agent.settings.models import DetectionSettings, ModelSettings
from devices.errors import DevicesError

LARGEST_LICENCE_BYTES = 1 << 20


@dataclass(frozen=True)
class OnEngine:
    """One precision of the model on one engine.

    Attributes:
        packed: the precision, as packed.
        use: the engine.
        verified: what became of the golden pictures, or None where it could not run.
        failure: why it could not, or "".
        fault: what is wrong with what it finds, or "".
    """

    packed: str
    use: EngineUse
    verified: Verified | None = None
    failure: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Finding:
    """What was found out.

    Attributes:
        path: of the bundle.
        sha256: of its manifest.
        size: in bytes.
        manifest: what it says of itself.
        plan: how the model is fed and read, in a sentence.
        labels: how many.
        calibration: how many pictures, or None.
        engines: each precision on each engine.
    """

    path: Path
    sha256: str
    size: int
    manifest: Manifest
    plan: str
    labels: int
    calibration: int | None
    engines: tuple[OnEngine, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """What engines find that the bundle does not say."""
        return tuple(each.fault for each in self.engines if each.fault)

    @property
    def is_good(self) -> bool:
        """Everything could run, and finds what the bundle says."""
        return not any(each.fault or each.failure for each in self.engines)

    def called(self, path: Path) -> Finding:
        """The same, of a file that was moved."""
        return replace(self, path=path)


def look_at(path: Path, uses: Sequence[EngineUse], asked: ModelSettings | None = None) -> Finding:
    """Look at every byte, and run the golden pictures on the reference and on these engines.

    Args:
        path: of the bundle.
        uses: engines beside the reference.
        asked: what engines are asked for beside the model: servers, a worker's Python.

    Raises:
        ModelError: the bundle is not wholly what was packed, or its model cannot be used.
    """
    with opened(path) as bundle:
        calibration = _calibration(bundle)
        _refuse_odd_text(bundle)
        found = Finding(path, bundle.sha256, bundle.size, bundle.manifest, "", 0, calibration, ())
    all_uses = (REFERENCE, *(use for use in uses if use.name != REFERENCE.name))
    for model in found.manifest.models:
        settings = ModelSettings.model_validate({"path": path, "precision": model.precision})
        plan = plan_bundle(settings, DetectionSettings(), None)
        rows = tuple(_on(plan.bundled, model.precision, use, asked) for use in all_uses) if plan.bundled else ()
        found = replace(
            found, plan=found.plan or plan.told(), labels=len(plan.labels.texts), engines=(*found.engines, *rows)
        )
    return found


def _on(bundled: Bundled, packed: str, use: EngineUse, asked: ModelSettings | None) -> OnEngine:
    update = {"path": bundled.plan.path, "calibration": bundled.calibration}
    settings = (asked or ModelSettings(path=bundled.path)).model_copy(update=update)
    try:
        verified = verify_on(bundled, use, settings)
    except DevicesError as error:
        return OnEngine(packed, use, failure=str(error))
    fault = "" if verified.difference.is_within else not_golden(bundled, verified)
    return OnEngine(packed, use, verified, fault=fault)


def _calibration(bundle: Bundle) -> int | None:
    """Pictures of the calibration set; they must be in the model's size."""
    name = bundle.manifest.calibration
    if name is None:
        return None
    try:
        pictures = read_array(bundle.read(name, bundle.manifest.parts[name].size), name, axes=4)
    except FaultError as error:
        raise ModelError(f"{bundle.path}: {error}") from error
    found, wanted = f"{pictures.shape[2]}x{pictures.shape[1]}", bundle.manifest.feed["input_size"]
    if found != wanted:
        raise ModelError(f"{bundle.path}: the pictures of {name} are {found}, and the model is fed {wanted}")
    return len(pictures)


def _refuse_odd_text(bundle: Bundle) -> None:
    name = bundle.manifest.licence_text
    if name is None:
        return
    try:
        bundle.read(name, LARGEST_LICENCE_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{bundle.path}: {name} is no UTF-8 text") from error
