"""What can be asked of `sitewatch model optimize`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.shape_option import add_shape_option

DESCRIPTION = """\
Check an ONNX model, simplify it, and write the result only if it computes the
same: on noise and on real pictures, on ONNX Runtime node by node and with its own
optimisations, tensor by tensor, and box for box where sitewatch knows the family.
"""
MORE = """\
Constants are folded, batch norms put into convolutions, what nothing reads left
out. Inputs, outputs, metadata and operator set stay. Where anything differs by
more than 1e-4 of a tensor's range (1e-2 in fp16 and int8), or a box is not found
again, nothing is written and the difference is told: keep the original. With its
optimisations on ONNX Runtime may move the result as far as it moves the original.

json:
  path, out, simplifier, family, refused (null: written or equal)
  before, after    bytes, nodes, median_ms (one thread, ONNX Runtime, CPU)
  checks           question, optimised, off, worst, allowed, boxes, within
  notes            what else a person should know

exit status:
  0 equal, and written where --out says; 64 the command line is wrong; 65 no ONNX
  model, not a valid one, or the result differs; 69 onnxslim is not installed;
  73 the result cannot be written

examples:
  sitewatch model optimize yolox_nano.onnx --out yolox_nano_slim.onnx
  sitewatch model optimize m.onnx --images site-pictures/ --out slim.onnx
"""
PICTURES = 20


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL.onnx", type=Path, help="the model")
    parser.add_argument("--out", metavar="F.onnx", type=Path, help="where to write; without it only report")
    parser.add_argument("--images", metavar="FOLDER", type=Path, help="pictures to compare on; else two of our own")
    parser.add_argument(
        "--limit", metavar="N", type=_count, default=PICTURES, help=f"at most so many of the pictures; {PICTURES}"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_shape_option(parser)
    parser.set_defaults(verb="agent.app.model.optimize.verb:main")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 1")
    return int(text)
