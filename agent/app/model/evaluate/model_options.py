"""Options of tools that run a model on engines: what a site file would say of it. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.machine import Machine
    from agent.settings.models import ModelSettings
    from devices.inventory import Inventory

FAMILIES = ("auto", "yolox", "yolov5", "yolov8", "end2end", "detr", "nanodet")
PRECISIONS = ("auto", "fp32", "fp16", "int8")


def describe_engines(parser: argparse.ArgumentParser, usual: str) -> None:
    """Add which engines run."""
    parser.add_argument(
        "--engine",
        "--engines",
        metavar="E",
        dest="engines",
        action="append",
        type=_words,
        help=f"openvino, openvino:cpu, tensorrt:dla, or all; with commas, or again (default {usual})",
    )
    parser.set_defaults(usual_engines=usual)
    parser.add_argument("--server", metavar="URL", action="append", default=[], help="of a model server, for kserve")
    parser.add_argument("--worker-python", metavar="PYTHON", type=Path, help="for run-times that need one of their own")
    parser.add_argument("--isolate", action="store_true", help="run engines in a process of their own")


def describe_model(parser: argparse.ArgumentParser) -> None:
    """Add how the model is fed and read."""
    describe_reading(parser)
    parser.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")
    parser.add_argument(
        "--precision",
        metavar="P",
        choices=PRECISIONS,
        default="auto",
        help=f"engines compute with: {', '.join(PRECISIONS)}",
    )


def describe_reading(parser: argparse.ArgumentParser) -> None:
    """Add how its output is read."""
    parser.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    parser.add_argument(
        "--family", metavar="F", choices=FAMILIES, default="auto", help=f"how it is read: {', '.join(FAMILIES)}"
    )


def wanted_engines(options: argparse.Namespace) -> tuple[str, ...]:
    """The words given to --engine, each once."""
    given = options.engines or [_words(options.usual_engines)]
    return tuple(dict.fromkeys(word for words in given for word in words))


def model_settings(options: argparse.Namespace, path: Path, **changed: Any) -> ModelSettings:  # noqa: ANN401 - any key's
    """What a site file would say of a model with these options.

    Args:
        options: as described here.
        path: of the model.
        changed: keys of `ModelSettings` in place of what the options say.

    Raises:
        ToolInputError: one of them has a value that is not allowed.
    """
    from agent.models.evaluate.told_settings import told_settings  # noqa: PLC0415 - slow

    said = {
        "path": path,
        "labels": options.labels,
        "family": options.family,
        "input_size": options.input_size,
        "precision": options.precision,
        "servers": tuple(options.server),
        "worker_python": options.worker_python,
        "isolate": options.isolate,
    }
    return told_settings(**{**said, **changed})


def inventory_with_servers(machine: Machine, model: ModelSettings) -> Inventory:
    """What this machine has, and the model servers that were named."""
    from devices.inventory import Accelerator, AcceleratorKind  # noqa: PLC0415 - with all that it brings

    inventory = machine.inventory()
    if not model.servers:
        return inventory
    servers = Accelerator(AcceleratorKind.REMOTE, "model servers")
    return replace(inventory, accelerators=(*inventory.accelerators, servers))


def whole_number(text: str) -> int:
    """A number from 1, for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 1")
    return int(text)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
