"""What can be asked of `sitewatch model torchserve`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import FAMILIES, whole_number

DESCRIPTION = """\
Write a model archive and a configuration for TorchServe, for those who still run
it. TorchServe is no longer developed: its project was archived in 2025 and gets
no corrections, not even of security. For something new take `sitewatch serve`, or
Triton with `sitewatch model triton`, which the agent can also use as an engine:
TorchServe it cannot, as that does not speak KServe v2 for an archive like this.
"""
MORE = """\
what is written:
  model-store/NAME.mar  the model as ONNX, and a handler with the agent's own steps:
                        the same boxes as everywhere else; sitewatch itself need not
                        be installed there, and PyTorch is not what runs the model
  config.properties     listens on this machine only; every archive of the store
  requirements.txt      what the handler needs in TorchServe's Python (3.10 or newer)
  Either everything is written or nothing. A second model may share the folder.

to serve it:
  pip install torchserve torch -r FOLDER/requirements.txt     (and Java 11 or newer)
  cd FOLDER && torchserve --foreground --ts-config config.properties
  The server writes key_file.json there; its "inference" key goes with each call:
  curl -H "Authorization: Bearer KEY" -T photo.jpg 127.0.0.1:8080/predictions/NAME
  Keys last an hour; the key "API" gets new ones at the management port, /token.

exit status:
  0 written; 64 wrong use; 65 the model, a name or an option cannot be used; 69 a
  package is missing; 73 the folder cannot be written

examples:
  sitewatch model torchserve yolox.onnx --out serving
  sitewatch model torchserve yolox.onnx --out serving --workers 2 --score-threshold 0.3
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="the ONNX model, or a bundle of it")
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="that TorchServe is started in")
    parser.add_argument("--name", metavar="NAME", help="of the model on the server; else its own")
    parser.add_argument("--model-version", metavar="N", default="1.0", help="(default 1.0)")
    parser.add_argument("--replace", action="store_true", help="put it in the place of what is there")
    _describe_model(parser)
    running = parser.add_argument_group("how it is run")
    running.add_argument("--workers", metavar="N", type=whole_number, default=1, help="processes (default 1)")
    running.add_argument("--threads", metavar="N", type=whole_number, default=1, help="of one inference (default 1)")
    running.add_argument(
        "--max-batch", metavar="N", type=_batch, default=1, help="requests a worker gets at once (default 1)"
    )
    running.add_argument(
        "--max-delay", metavar="MS", type=whole_number, default=10, help="that one waits for others (default 10)"
    )
    doors = parser.add_argument_group("where it listens")
    doors.add_argument("--port", metavar="N", type=whole_number, default=8080, help="and the next two (default 8080)")
    doors.add_argument("--grpc-port", metavar="N", type=whole_number, default=7070, help="and the next (default 7070)")
    doors.add_argument("--no-token", action="store_true", help="whoever is on this machine may call")
    parser.set_defaults(verb="agent.app.model.torchserve.verb:main")
    # What the model's settings are made of besides, here always the usual.
    parser.set_defaults(precision="auto", worker_python=None, isolate=False, server=())


def _describe_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is served")
    group.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    group.add_argument("--family", choices=FAMILIES, default="auto", help="how its output is read")
    group.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")
    group.add_argument("--score-threshold", metavar="S", type=_fraction, help="least score of a detection, 0 to 1")
    group.add_argument(
        "--max-pixels", metavar="N", type=whole_number, default=25_000_000, help="of a picture (default 25000000)"
    )


def _batch(text: str) -> int:
    number = whole_number(text)
    if number > 64:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 1 to 64")
    return number


def _fraction(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a number from 0 to 1")
    return number
