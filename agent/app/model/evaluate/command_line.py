"""What can be asked of `sitewatch model eval`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import describe_engines, describe_model, whole_number

DESCRIPTION = """\
Run models on the pictures of a folder in COCO's format, through the agent's own
preprocessing, engines and decoders, and score what they find: COCO's AP and AR.
With more than one engine also whether they find the same, box for box; what they
are compared with is ONNX Runtime on the processor, which therefore always runs.
"""
MORE = """\
dataset:
  instances.json (or annotations/instances_NAME.json) and the pictures in images,
  in NAME, or beside the file. Classes and categories are matched by name; those
  that only one side knows are left out and told. A crowd counts as neither found
  nor missed.

parity:
  a box of the reference, from a score of 0.1 (int8: 0.3), must be there on the
  other engine, of the same class, with the overlap and score that the precision
  asks: fp32 0.98 and 0.01, fp16 0.95 and 0.03, int8 0.75 and 0.15

exit status:
  0 done; 64 wrong use; 65 the folder cannot be used, or engines do not find the
  same (the scores are printed all the same); 69 no engine could run the model, or
  a package is missing; 78 the model cannot be used

examples:
  sitewatch model eval model.onnx --dataset coco
  sitewatch model eval float.onnx int8.onnx --dataset coco --engine all --json
  sitewatch model eval model.onnx --dataset coco --engine openvino:cpu --limit 100
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+", help="a model file")
    parser.add_argument("--dataset", metavar="FOLDER", type=Path, required=True, help="pictures and instances.json")
    parser.add_argument("--annotations", metavar="FILE", type=Path, help="in place of the folder's own instances.json")
    parser.add_argument("--limit", metavar="N", type=whole_number, help="only the first N pictures")
    describe_engines(parser, "onnxruntime:cpu")
    parser.add_argument(
        "--no-parity", action="store_true", help="run the engines asked for only, and do not compare their boxes"
    )
    describe_model(parser)
    parser.add_argument(
        "--score-threshold", metavar="S", type=float, default=0.01, help="weakest detection that counts (default 0.01)"
    )
    parser.add_argument("--threads", metavar="N", type=whole_number, help="of one inference; else every processor")
    parser.add_argument("--classes", action="store_true", help="and the scores of every class")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(verb="agent.app.model.evaluate.verb:main")
