"""`sitewatch model export`."""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from agent.app.model.export.report import Export, as_json, as_text
from agent.app.model.export.result_file import ResultFile
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.errors import OutputError, RefusedResultError, ToolInputError
from agent.models.export.exported import Exported, ExportRequest
from agent.models.export.exporting import Told, export
from agent.models.export.torch_errors import told_as_export
from agent.service.exit_codes import ExitCode
from agent.stream.frame import BgrArray
from devices.models.torch_loading import importable, load_named, load_script, load_weights
from devices.models.torch_model import TorchModel

SEED = 0


def main(options: argparse.Namespace) -> int:
    """Export, compare, print, write.

    Raises:
        SitewatchError: the module cannot be used or exported, the graph differs, or the file cannot be written.
    """
    quiet_libraries()
    _refuse_sources(options)
    began_s = time.perf_counter()
    with ResultFile(options.out) as result:
        exported = _exported(options)
        if not exported.refusal:
            result.write(exported.content)
    done = Export(options, exported, time.perf_counter() - began_s)
    say(as_json(done) if options.json else as_text(done))
    if exported.refusal:
        raise RefusedResultError(exported.refusal)
    return ExitCode.OK


def _exported(options: argparse.Namespace) -> Exported:
    request = ExportRequest(
        inputs=tuple(options.inputs),
        outputs=options.output_names,
        opset=options.opset,
        is_batch_open=options.dynamic_batch,
        tolerance=options.tolerance,
        pictures=_pictures(),
    )
    console = Console(stderr=True)
    shown = console.status("loading PyTorch and the module") if console.is_terminal else nullcontext()
    with importable(options.folder), shown as status:
        told: Told = (lambda _step: None) if status is None else status.update
        return export(_loaded(options), request, np.random.default_rng(SEED), told)


def _loaded(options: argparse.Namespace) -> TorchModel:
    is_name = ":" in options.module and not Path(options.module).exists()
    if not is_name and options.arguments:
        raise ToolInputError(f"--argument: {options.module} is a file, which takes none")
    with told_as_export():
        model = load_named(options.module, dict(options.arguments)) if is_name else load_script(Path(options.module))
        if options.weights:
            load_weights(model, options.weights)
        return model


def _refuse_sources(options: argparse.Namespace) -> None:
    for path in filter(None, (Path(options.module), options.weights)):
        if path.is_file() and options.out.exists() and options.out.samefile(path):
            raise OutputError(f"{options.out} is what is exported; name another file")


def _pictures() -> dict[str, BgrArray]:
    """The photographs that engines are examined with."""
    folder = resources.files("agent.app").joinpath("exam_pictures")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".jpg")), key=lambda file: file.name)
    return {file.name: _picture(file.read_bytes()) for file in files}


def _picture(content: bytes) -> BgrArray:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
