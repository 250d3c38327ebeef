"""The tools under `sitewatch model`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

from agent.app.model.bench import command_line as bench
from agent.app.model.convert import command_line as convert
from agent.app.model.evaluate import command_line as evaluate
from agent.app.model.export import command_line as export
from agent.app.model.info import command_line as info
from agent.app.model.optimize import command_line as optimize
from agent.app.model.pack import command_line as pack
from agent.app.model.quantize import command_line as quantize
from agent.app.model.torchserve import command_line as torchserve
from agent.app.model.triton import command_line as triton
from agent.app.model.verify import command_line as verify

AddParser = Callable[[str, str, str, str], argparse.ArgumentParser]


class Tool(NamedTuple):
    """One tool: the word, a line of help, and the module that describes it (`DESCRIPTION`, `MORE`, `describe`)."""

    name: str
    help_line: str
    command_line: ModuleType


TOOLS = tuple(Tool(*row) for row in (
    ("export", "PyTorch to ONNX, checked against PyTorch", export),
    ("optimize", "check and simplify an ONNX model, only if it stays equal", optimize),
    ("info", "what a model is made of, and what can run it", info),
    ("quantize", "int8 or fp16, with accuracy before and after", quantize),
    ("convert", "to OpenVINO, Core ML or TensorRT, checked against ONNX Runtime", convert),
    ("eval", "COCO mAP on any engine, and parity between engines", evaluate),
    ("bench", "latency and throughput of engines, side by side", bench),
    ("pack", "one file of model, labels, thresholds and golden outputs", pack),
    ("verify", "check a bundle, and its golden outputs on an engine here", verify),
    ("triton", "write a Triton model repository", triton),
    ("torchserve", "write a TorchServe handler and its configuration", torchserve),
))  # fmt: skip


def describe(add: AddParser) -> None:
    """Add every tool; `add` takes the name, a line of help, the description and what follows the options."""
    for tool in TOOLS:
        page = tool.command_line
        page.describe(add(tool.name, tool.help_line, page.DESCRIPTION, page.MORE))
