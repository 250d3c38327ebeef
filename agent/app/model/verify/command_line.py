"""What can be asked of `sitewatch model verify`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import describe_engines

DESCRIPTION = """\
Look at every byte of a bundle, and run its golden pictures: on ONNX Runtime on the
processor, which decides whether the bundle tells the truth, and on the engines
asked for. Says what was checked, where, and how far the outputs are apart.
"""
MORE = """\
checked:
  the archive (nothing but plain, stored parts, none twice, none between them), the
  manifest, every part's SHA-256 and size, labels and preprocessing against the
  model, the calibration set's form, and that the model finds in the golden
  pictures what the bundle says: fp32 with an overlap from 0.98 and scores within
  0.01, fp16 0.95 and 0.03, int8 0.75 and 0.15

json:
  bundle, sha256 (of the manifest), bytes, name, licence, labels, feed, thresholds,
  calibration, golden, parts; engines with precision, is_within and differences

exit status:
  0 it is what it says; 65 it is not, or an engine asked for finds something else;
  69 an engine asked for cannot run it

examples:
  sitewatch model verify yard.swmodel
  sitewatch model verify yard.swmodel --engine all
  sitewatch model verify yard.swmodel --engine openvino:cpu --json | jq .engines
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("bundle", metavar="FILE", type=Path, help="the bundle")
    describe_engines(parser, "onnxruntime:cpu")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(verb="agent.app.model.verify.verb:main")
