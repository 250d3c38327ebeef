"""Converts a model, holds the result against ONNX Runtime, and writes it only where it answers the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.errors import OutputError, ToolInputError, ToolUnavailableError
from agent.models.convert.checking import Checker
from agent.models.convert.conversion import SUFFIXES, Check, Conversion, Made, Order, Source, Target, Told
from agent.models.convert.to_coreml import to_coreml
from agent.models.convert.to_openvino import to_openvino
from agent.models.convert.to_tensorrt import to_tensorrt
from agent.models.whole_results import Content, Tree, write_results
from agent.settings.models import DetectionSettings
from agent.stream.frame import BgrArray
from devices.engines.any_model import only_runtime
from devices.engines.model_file import read_model
from devices.errors import DevicesError, EngineUnavailable

SOURCE_NOTE = "sitewatch_source_sha256"
NEEDS = {
    Target.OPENVINO: "pip install 'sitewatch[intel]'",
    Target.COREML: "pip install 'sitewatch[export]'",
    Target.TENSORRT: "an NVIDIA GPU with its driver, TensorRT, and pip install 'sitewatch[nvidia]'",
}


def convert(
    order: Order, pictures: Sequence[BgrArray], rng: np.random.Generator, told: Told = lambda _step: None
) -> Conversion:
    """Make it, check it, write it. Where it differs, nothing is written: see `Conversion.refusal`.

    Args:
        order: what to make.
        pictures: to compare on, each uint8 (height, width, 3) BGR.
        rng: draws the noise.
        told: hears of every step.

    Raises:
        ToolInputError: the model cannot be converted, with the reason; or options do not fit.
        ModelError: the product does not know the model's family.
        ToolUnavailableError: the format's library is not installed.
        OutputError: it cannot be written.
    """
    _refuse_misfit(order)
    path = order.model.path
    try:
        told("reading the model")
        source = _read(order)
        checker = Checker(source.plan, order.model, pictures, rng)
        with TemporaryDirectory(prefix="sitewatch-convert-") as folder:
            told(f"converting to {order.target.value}")
            made = _made(order, source, Path(folder), told)
            return _settled(order, source, made, _checks(checker, made, told))
    except EngineUnavailable as error:
        raise ToolUnavailableError(f"{error}; it needs: {NEEDS[order.target]}") from error
    except DevicesError as error:
        said = str(error)
        raise ToolInputError(said if str(path) in said else f"{path}: {said}") from error
    except OSError as error:
        raise OutputError(f"{order.out}: there is no room to convert: {error.strerror or error}") from error


def _refuse_misfit(order: Order) -> None:
    """Before minutes go into it."""
    suffix = SUFFIXES[order.target]
    if order.out.suffix != suffix:
        raise ToolInputError(f"--out {order.out}: what is converted to {order.target.value} ends in {suffix}")
    if only := only_runtime(order.model.path):
        raise ToolInputError(f"{order.model.path}: is made for {only} already; give the ONNX model it was made of")
    if order.out.is_dir() and order.target is not Target.COREML:
        raise OutputError(f"{order.out} cannot be written: it is a folder")


def _read(order: Order) -> Source:
    file = read_model(order.model.path)
    plan = plan_model(file.path, order.model, DetectionSettings())
    notes = {**file.metadata, SOURCE_NOTE: file.sha256}
    if order.model.labels is not None:
        notes["names"] = str(dict(enumerate(plan.labels.texts)))
    return Source(file, plan, notes)


def _made(order: Order, source: Source, folder: Path, told: Told) -> Made:
    if order.target is Target.OPENVINO:
        return to_openvino(order, source, folder)
    if order.target is Target.COREML:
        return to_coreml(order, source, folder)
    return to_tensorrt(order, source, told)


def _checks(checker: Checker, made: Made, told: Told) -> tuple[Check, ...]:
    told(f"comparing with {checker.reference}")
    try:
        return tuple(checker.checks(made))
    finally:
        made.close()


def _settled(order: Order, source: Source, made: Made, checks: tuple[Check, ...]) -> Conversion:
    refusal = _refusal(source.plan, made.plan, checks)
    written = () if refusal else tuple(order.out.parent / name for name in made.results)
    size = sum(map(_size, made.results.values()))
    if not refusal:
        write_results(order.out.parent, made.results)
    return Conversion(
        source=order.model.path,
        family=made.plan.family,
        labels=f"{len(made.plan.labels.texts)} labels from {made.plan.labels.origin}",
        source_bytes=order.model.path.stat().st_size,
        result_bytes=size,
        written=written,
        checks=checks,
        notes=made.notes,
        refusal=refusal,
    )


def _refusal(source: DetectionPlan, result: DetectionPlan, checks: tuple[Check, ...]) -> str:
    if (source.family, source.labels.texts) != (result.family, result.labels.texts):
        return (
            f"the result would be read as {result.family} with {len(result.labels.texts)} labels, the model is "
            f"{source.family} with {len(source.labels.texts)}; nothing was written"
        )
    off = [check.told() for check in checks if not check.is_within]
    return f"not what ONNX Runtime answers: {'; '.join(off)}; nothing was written" if off else ""


def _size(content: Content | Tree) -> int:
    if isinstance(content, bytes):
        return len(content)
    return content.stat().st_size if isinstance(content, Path) else sum(map(_size, content.values()))
