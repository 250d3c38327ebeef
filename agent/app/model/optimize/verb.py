"""`sitewatch model optimize`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from agent.app.engine_exam import PICTURES, standard_pictures
from agent.app.model.optimize.report import as_json, as_text
from agent.app.model.steps import Steps
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.errors import RefusedResultError, ToolInputError
from agent.models.evaluate.picture_files import read_pixels
from agent.models.optimize.optimizing import optimise
from agent.models.whole_results import write_results
from agent.service.exit_codes import ExitCode
from agent.stream.frame import BgrArray

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SEED = 20


def main(options: argparse.Namespace) -> int:
    """Simplify a model and write it, if it stays equal.

    Raises:
        ToolInputError: the model or a picture cannot be used.
        ToolUnavailableError: what simplifies is not installed.
        RefusedResultError: the result differs; nothing was written.
        OutputError: it cannot be written.
    """
    quiet_libraries()
    _refuse_same(options.model, options.out)
    pictures = _pictures(options.images, options.limit)
    with Steps(options.model.name) as steps:
        found = optimise(
            options.model,
            pictures,
            shapes=dict(options.shapes),
            rng=np.random.default_rng(SEED),
            told=steps.at,
        )
    if not found.refusal and options.out is not None:
        write_results(options.out.parent, {options.out.name: found.content})
    if options.json:
        say(as_json(found, options.model, options.out))
    elif not found.refusal:
        say(as_text(found, options.model, options.out))
    if found.refusal:
        raise RefusedResultError(f"{options.model}: keep it; {found.refusal}; nothing was written")
    return ExitCode.OK


def _refuse_same(model: Path, out: Path | None) -> None:
    if out is not None and out.exists() and model.exists() and out.samefile(model):
        raise ToolInputError(f"--out {out} is the model itself, which is kept; name another file")


def _pictures(folder: Path | None, limit: int) -> dict[str, BgrArray]:
    if folder is None:
        return dict(zip(PICTURES, standard_pictures(), strict=True))
    if not folder.is_dir():
        raise ToolInputError(f"--images {folder}: no such folder")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not files:
        raise ToolInputError(f"--images {folder}: no pictures in it; looked for {', '.join(ENDINGS)}")
    return {path.name: read_pixels(path) for path in files[:limit]}
