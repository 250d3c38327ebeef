"""`sitewatch model convert`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent.app.engine_exam import standard_pictures
from agent.app.model.convert.report import as_json, as_text
from agent.app.model.evaluate.model_options import model_settings
from agent.app.model.steps import Steps
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.errors import OutputError, RefusedResultError, ToolInputError
from agent.models.convert.conversion import SUFFIXES, Conversion, CoreMlWish, Order, Target, Told
from agent.models.convert.converting import convert
from agent.models.convert.from_torchscript import as_onnx
from agent.models.evaluate.picture_files import read_pixels
from agent.service.exit_codes import ExitCode
from agent.stream.frame import BgrArray

SEED = 0
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MOST_PICTURES = 20
SCRIPT_SUFFIXES = (".pt", ".pth", ".torchscript", ".ts")


def main(options: argparse.Namespace) -> int:
    """Convert, compare, print, write.

    Raises:
        SitewatchError: the model cannot be converted, answers otherwise, or cannot be written.
    """
    quiet_libraries()
    began_s = time.perf_counter()
    conversion = _converted(options)
    took_s = time.perf_counter() - began_s
    say(as_json(conversion, took_s) if options.json else as_text(conversion, took_s))
    if conversion.refusal:
        raise RefusedResultError(conversion.refusal)
    return ExitCode.OK


def _converted(options: argparse.Namespace) -> Conversion:
    target = Target(options.to)
    out = options.out or options.model.with_suffix(SUFFIXES[target])
    if out.exists() and options.model.exists() and out.samefile(options.model):
        raise OutputError(f"{out} is what is converted; name another file")
    wish = CoreMlWish(options.compute_units, options.minimum_target, takes_pictures=not options.tensors)
    rng = np.random.default_rng(SEED)
    pictures = standard_pictures() if options.images is None else _pictures(options.images)
    with Steps(options.model.name) as steps, _onnx(options, pictures, rng, steps.at) as (model, notes):
        settings = model_settings(options, model, precision="auto")
        order = Order(settings, target, out, is_half=options.precision == "fp16", core_ml=wish)
        done = convert(order, pictures, rng, steps.at)
        return replace(done, source=options.model, notes=(*notes, *done.notes))


@contextmanager
def _onnx(
    options: argparse.Namespace, pictures: Sequence[BgrArray], rng: np.random.Generator, told: Told
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The model as ONNX: itself, or made of a TorchScript file for the time being."""
    is_script = options.model.suffix in SCRIPT_SUFFIXES
    if is_script != bool(options.inputs):
        raise ToolInputError(
            f"{options.model}: TorchScript needs --input for each of its inputs, as in --input 1x3x416x416"
            if is_script
            else f"--input is for TorchScript ({', '.join(SCRIPT_SUFFIXES)}); {options.model} says its inputs itself"
        )
    if not is_script:
        yield options.model, ()
        return
    shown = {f"picture {number}": picture for number, picture in enumerate(pictures, start=1)}
    try:
        with TemporaryDirectory(prefix="sitewatch-torch-") as folder:
            model, note = as_onnx(options.model, options.inputs, shown, Path(folder), rng, told)
            yield model, (note,)
    except OSError as error:
        raise OutputError(f"there is no room to export {options.model}: {error.strerror or error}") from error


def _pictures(folder: Path) -> tuple[BgrArray, ...]:
    """The first of a folder, by name."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    except OSError as error:
        raise ToolInputError(f"--images {folder}: {error.strerror}") from error
    if not files:
        raise ToolInputError(f"--images {folder}: no pictures in it; looked for {', '.join(PICTURE_SUFFIXES)}")
    return tuple(map(read_pixels, files[:MOST_PICTURES]))
