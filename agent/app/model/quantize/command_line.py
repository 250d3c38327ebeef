"""What can be asked of `sitewatch model quantize`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import describe_reading, whole_number

METHODS = ("percentile", "entropy", "minmax", "nncf")
TARGETS = ("everywhere", "onnxruntime")
DESCRIPTION = """\
Make an int8 (or fp16) model of a float32 ONNX model. int8 takes the ranges of
activations from pictures of the site, through the agent's own preprocessing, and
keeps in float what quantises badly: layers are tried alone, and the costliest go
back to float until what is lost is small enough. Nothing is written otherwise.
"""
MORE = """\
pictures:
  a folder of pictures, a clip, an address of a camera (rtsp://..., a number), or
  a set that --save-set wrote. Some dozens of the site itself, by day and night;
  not those of --dataset. A .npy set is what `model.calibration` of a site file
  takes: TensorRT before 11 then calibrates by itself and keeps its own cache.

methods:
  percentile cuts off the outermost values, entropy those whose loss tells least,
  minmax none; nncf is OpenVINO's own quantiser: it writes F.xml and F.bin, which
  the agent loads too, on OpenVINO only

result:
  one ONNX file that ONNX Runtime, OpenVINO and TensorRT (10 and 11) take: pairs of
  symmetric int8 in front of convolutions and matrix products, nothing else. The
  agent rearranges it for ONNX Runtime's processor kernels when it loads it; for
  another program on ONNX Runtime say --for onnxruntime. fp16 keeps inputs and
  outputs in float32.

exit status:
  0 written; 64 wrong use; 65 model, pictures or dataset cannot be used, or too much
  is lost (nothing was written); 66 the clip or camera does not deliver; 69 a package
  is missing; 73 a file cannot be written; 78 the model is none the agent knows

examples:
  sitewatch model quantize m.onnx --pictures clip.mp4 --out m.int8.onnx
  sitewatch model quantize m.onnx --pictures rtsp://cam/1 --count 200 --interval 30
      --dataset coco --out m.int8.onnx --save-set site.npy
  sitewatch model quantize m.onnx --to fp16 --dataset coco --out m.fp16.onnx
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a float32 ONNX file")
    parser.add_argument("--out", metavar="F", type=Path, required=True, help="the file to write: .onnx; for nncf .xml")
    parser.add_argument("--to", choices=("int8", "fp16"), default="int8", help="precision (default int8)")
    _describe_calibration(parser.add_argument_group("calibration"))
    _describe_accuracy(parser.add_argument_group("accuracy"))
    more = parser.add_argument_group("more")
    more.add_argument("--for", dest="target", choices=TARGETS, default=TARGETS[0], help="which run-time takes it")
    more.add_argument("--save-set", metavar="F.npy", type=Path, help="write the pictures for `model.calibration`")
    more.add_argument("--tensorrt-cache", metavar="F", type=Path, help="write the ranges as TensorRT's calibrator does")
    more.add_argument("--tensorrt-version", metavar="V", help="that shall read it, such as 8.5.2 or 10.3.0")
    more.add_argument("--no-timing", action="store_true", help="do not compare the speed")
    more.add_argument("--threads", metavar="N", type=whole_number, help="of one inference; else every processor")
    more.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")
    describe_reading(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(
        verb="agent.app.model.quantize.verb:main", precision="auto", server=[], worker_python=None, isolate=False
    )


def _describe_calibration(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--pictures", metavar="SOURCE", help="a folder, a clip, a camera's address, or a .npy set")
    group.add_argument("--count", metavar="N", type=whole_number, default=64, help="pictures, at most (default 64)")
    group.add_argument("--interval", metavar="S", type=_seconds, default=1.0, help="between a camera's (default 1)")
    group.add_argument("--method", metavar="M", choices=METHODS, default=METHODS[0], help=", ".join(METHODS))
    group.add_argument("--percentile", metavar="P", type=_percentile, default=99.95, help="kept (default 99.95)")


def _describe_accuracy(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dataset", metavar="FOLDER", type=Path, help="COCO-format folder to score both models on")
    group.add_argument("--annotations", metavar="FILE", type=Path, help="in place of the folder's own instances.json")
    group.add_argument("--limit", metavar="N", type=whole_number, help="only its first N pictures")
    group.add_argument(
        "--max-loss", metavar="AP", type=_loss, default=0.01, help="of AP, on the worst engine (default 0.01)"
    )
    group.add_argument(
        "--keep-float", metavar="NODE", action="append", default=[], help="a layer to leave alone; again for more"
    )


def _seconds(text: str) -> float:
    return _between(text, 0.0, 86_400.0, "seconds from 0 to a day")


def _percentile(text: str) -> float:
    return _between(text, 90.0, 100.0, "a number from 90 to 100")


def _loss(text: str) -> float:
    return _between(text, 0.0, 1.0, "a number from 0 to 1")


def _between(text: str, least: float, most: float, allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is {allowed}")
    return value
