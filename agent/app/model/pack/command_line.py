"""What can be asked of `sitewatch model pack`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import FAMILIES, whole_number

USUAL_CALIBRATION = 300

DESCRIPTION = """\
Pack a model and all that belongs to it into one file: labels, preprocessing,
thresholds, licence, pictures to calibrate with, golden pictures and what the
model finds in them on ONNX Runtime. `model.path` of a site file may name it; the
agent then builds its engine of it, and refuses it where it is not what was packed.
"""
MORE = """\
file:
  FILE.swmodel, a zip archive of stored parts: any zip tool shows them. Its first
  part, manifest.json, has the SHA-256 of the others, and the archive's comment has
  the manifest's. Packing the same again gives the same bytes. It is no signature:
  who can write the file can pack another.

golden pictures:
  those of --images, else the two that come with sitewatch. The model must find
  something in them. They are kept as pixels, for decoders of pictures differ.

site:
  --site takes preprocessing, labels and thresholds of a site file, which the
  options overrule. A site that runs the bundle may overrule each in its turn.

exit status:
  0 done; 64 wrong use; 65 an input cannot be used, or the models do not fit each
  other; 73 the file cannot be written; 78 a model or the site file cannot be used

examples:
  sitewatch model pack yolox_nano.onnx --labels coco.txt --licence Apache-2.0
  sitewatch model pack float.onnx int8.onnx --site yard.yaml --licence MIT \\
      --licence-file LICENSE --images golden/ --calibration pictures/ -o yard.swmodel
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "models", metavar="MODEL.onnx", type=Path, nargs="+", help="the model; then the same in other precisions"
    )
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help="to write; else MODEL.swmodel beside the model")
    parser.add_argument("--name", metavar="N", help="of the model, in metrics and on model servers; else the file's")
    parser.add_argument(
        "--licence", metavar="SPDX", required=True, help="such as Apache-2.0, or LicenseRef-Proprietary"
    )
    parser.add_argument("--licence-file", metavar="F", type=Path, help="its text")
    parser.add_argument(
        "--images", metavar="P", type=Path, action="append", default=[], help="golden pictures: files, or a folder"
    )
    parser.add_argument(
        "--calibration", metavar="P", type=Path, help="pictures for int8 on TensorRT: a folder, or a .npy file"
    )
    parser.add_argument(
        "--calibration-limit",
        metavar="N",
        type=whole_number,
        default=USUAL_CALIBRATION,
        help=f"of a folder with more, take this many evenly (default {USUAL_CALIBRATION})",
    )
    parser.add_argument("--site", metavar="SITE.yaml", type=Path, help="what else to take: see below")
    parser.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    parser.add_argument("--family", choices=FAMILIES, default="auto", help="how its output is read")
    parser.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")
    parser.add_argument("--score-threshold", metavar="S", type=float, help="least score of a detection, 0 to 1")
    parser.add_argument("--json", action="store_true", help="tell what was written as JSON")
    parser.set_defaults(verb="agent.app.model.pack.verb:main")
