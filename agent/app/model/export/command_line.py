"""What can be asked of `sitewatch model export`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from agent.models.export.input_spec import InputSpec, parse_input

DESCRIPTION = """\
Write a PyTorch module as ONNX, and see that it gives the same answers: the graph
is run on ONNX Runtime beside PyTorch, on noise, on a plain tensor and on pictures,
of batches 1 and 3 too where the batch is open. The greatest difference of each
output is printed; over the tolerance nothing is written.
"""
MORE = """\
module:
  package.module:name is imported and made, which runs its code: a class or function
  is called (--argument gives it arguments), a module is taken as it is. --weights
  then puts in a state dict, itself or within a checkpoint; only tensors are read
  from that file. A file is TorchScript (torch.jit.save).

input:
  [NAME:]SHAPE[:TYPE[:LOW..HIGH]], once for each input, in order, for instance
  1x3x416x416 or images:1x3x416x416:float32:0..255. The range is that of the trials:
  give what the module is fed in use. Usual are float32, 0..1, and its own names.

differences:
  absolute: |ONNX Runtime - PyTorch|. relative: that, divided by |PyTorch| or, where
  |PyTorch| is below 1, by 1 (by the output's greatest value if all are below 1);
  this must not be over the tolerance, for any element.

exporters:
  torch.export for modules; TorchScript's for TorchScript files, and below opset 18,
  which the first cannot write. The second records one run: what depends on values
  stays as it was in that run, and the comparison may or may not show it.

exit status:
  0 written; 64 wrong use; 65 the module cannot be used or exported, or the graph
  differs; 69 PyTorch is missing; 73 the file cannot be written

examples:
  sitewatch model export detectors.yolo:Nano --weights nano.pt --out nano.onnx \\
      --input images:1x3x416x416:float32:0..255 --output-names output --dynamic-batch
  sitewatch model export scripted.pt --input 1x3x320x320 --opset 17 --out model.onnx
"""
USUAL_OPSET = 18
OLDEST_OPSET, NEWEST_OPSET = 9, 25


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("module", metavar="MODULE", help="package.module:name, or a TorchScript file")
    parser.add_argument("--out", metavar="M.onnx", type=Path, required=True, help="what to write")
    parser.add_argument(
        "--input", metavar="SPEC", dest="inputs", type=_input, action="append", required=True, help="see below"
    )
    parser.add_argument("--weights", metavar="W.pt", type=Path, help="state dict to put into the module")
    parser.add_argument(
        "--argument",
        metavar="NAME=VALUE",
        dest="arguments",
        type=_argument,
        action="append",
        default=[],
        help="for the class or function, VALUE as JSON or else a text; may be given several times",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        default=Path(),
        help="where the module is looked for first (default: here)",
    )
    graph = parser.add_argument_group("graph")
    graph.add_argument(
        "--output-names", metavar="A,B", type=_names, default=(), help="else the module's own, or output"
    )
    graph.add_argument("--dynamic-batch", action="store_true", help="leave the first axis of every input open")
    graph.add_argument("--opset", metavar="N", type=_opset, default=USUAL_OPSET, help=f"default {USUAL_OPSET}")
    graph.add_argument(
        "--tolerance", metavar="T", type=_tolerance, help="greatest relative difference (1e-3; half precision 1e-2)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(verb="agent.app.model.export.verb:main")


def _input(text: str) -> InputSpec:
    try:
        return parse_input(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _argument(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed are names with commas between, none twice")
    return names


def _opset(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not OLDEST_OPSET <= number <= NEWEST_OPSET:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is {OLDEST_OPSET} to {NEWEST_OPSET}")
    return number


def _tolerance(text: str) -> float:
    try:
        tolerance = float(text)
    except ValueError:
        tolerance = math.nan
    if not 0.0 <= tolerance < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a number from 0")
    return tolerance
