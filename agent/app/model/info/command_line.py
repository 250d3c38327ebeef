"""What can be asked of `sitewatch model info`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.shape_option import add_shape_option

DESCRIPTION = """\
Tell what an ONNX model is made of and what can run it: inputs and outputs,
parameters in all and by layer, bytes in fp32, fp16 and int8, multiply-adds,
operators, how sitewatch would use it, and which run-times and accelerators take
it or which operators stop them. Nothing is written.
"""
MORE = """\
multiply-adds:
  of one inference, of convolutions and matrix products; one is two FLOPs. Shapes
  are inferred, and where that gives up learned by running the model once

run-times and accelerators:
  + takes it, ~ takes a part of it, - refuses it, ? not known. Run-times that are
  installed here are asked; for the others a table of operators answers, named
  with its date, and their own builder has the last word

json:
  path, bytes, beside, sha256, precision, producer, ir_version, opsets, metadata
  inputs, outputs  name, dtype, shape (null: open)
  family, use      as sitewatch recognises it, and how it would feed it, or why not
  parameters, weight_bytes {fp32, fp16, int8}, multiply_adds (null: not known),
  counted_for      the inputs' shapes they are counted for
  layers           name, kind, parameters, multiply_adds; most parameters first
  operators        kind to count; `folded`: computed when loading
  targets          name, verdict, source, note, stops [operator, count, reason,
                   example], operators_share, multiply_adds_share
  notes            what else a person should know

exit status:
  0 done; 64 the command line is wrong; 65 no ONNX model, a damaged one, or a shape
  that does not fit

examples:
  sitewatch model info yolox_nano.onnx
  sitewatch model info any.onnx --shape input=1x3x640x640 --layers 30
  sitewatch model info m.onnx --json | jq '.targets[] | {name, verdict}'
"""
LAYERS = 10


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL.onnx", type=Path, help="the model")
    parser.add_argument("--json", action="store_true", help="as JSON, all layers")
    parser.add_argument(
        "--layers", metavar="N", type=_count, default=LAYERS, help=f"how many of the largest layers; {LAYERS}"
    )
    add_shape_option(parser)
    parser.set_defaults(verb="agent.app.model.info.verb:main")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 0")
    return int(text)
