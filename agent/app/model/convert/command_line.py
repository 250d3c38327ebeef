"""What can be asked of `sitewatch model convert`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import describe_reading
from agent.models.export.input_spec import InputSpec, parse_input

DESCRIPTION = """\
Write a model in the format of one run-time, and see that it gives the same answers
as the ONNX model on ONNX Runtime, on pictures and on noise. Where it does not,
nothing is written. The result says of itself what sitewatch needs to know (the
labels, the exporter's notes), and is read back as a site would read it.
"""
MORE = """\
formats:
  openvino  M.xml with its weights in M.bin. A site takes it as model.path: M.xml
  coreml    M.mlpackage, through rules of our own from ONNX to Core ML's language,
            as coremltools reads no ONNX. What was written is evaluated operation
            by operation in NumPy, on any system; on a Mac Core ML itself answers
            too. A site on a Mac takes it as model.path: M.mlpackage
  tensorrt  M.engine, as trtexec --loadEngine and Triton take it, and M.engine.json
            with what a plan does not say; built on the GPU that it is for. A site
            gives the ONNX model: `sitewatch build` makes and keeps the same

precision:
  fp16: OpenVINO keeps the weights so, and computes as the device likes; Core ML and
  TensorRT compute so. A quantised ONNX model (Q/DQ) keeps its int8 in OpenVINO and
  TensorRT, and is refused by Core ML

model:
  an ONNX file, or TorchScript (torch.jit.save) with --input for each of its inputs

how near:
  box for box where there are any, as engines are compared at a start: overlap 0.98
  and scores within 0.01 in fp32; 0.95 and 0.03 in fp16, one in 33 may miss that;
  0.75 and 0.15 in int8, one in 10. Where there are none, 99% of the numbers within
  1e-3, 2e-2 or 1e-1 of the range of their tensor

exit status:
  0 written; 64 wrong use; 65 the model cannot be converted, or answers otherwise;
  69 the format's library is missing; 73 it cannot be written; 78 the model is of
  no family that sitewatch knows

examples:
  sitewatch model convert yolox_nano.onnx --to openvino
  sitewatch model convert yolox_nano.onnx --to coreml --compute-units CPU_AND_NE \\
      --minimum-target macOS14 --out nano.mlpackage
  sitewatch model convert scripted.pt --input 1x3x416x416 --to coreml
"""
TARGETS = ("openvino", "coreml", "tensorrt")
COMPUTE_UNITS = ("ALL", "CPU_AND_GPU", "CPU_AND_NE")
MINIMUM_TARGETS = (
    "iOS15", "iOS16", "iOS17", "iOS18", "iOS26", "macOS12", "macOS13", "macOS14", "macOS15", "macOS26",
)  # fmt: skip


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="an ONNX or TorchScript file")
    parser.add_argument("--to", choices=TARGETS, required=True, help="the format")
    parser.add_argument("--out", metavar="FILE", type=Path, help="what to write (default: beside the model)")
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16", help="see below (default fp16)")
    parser.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")
    describe_reading(parser)
    parser.add_argument(
        "--input", metavar="SPEC", dest="inputs", type=_input, action="append", help="of TorchScript; as for export"
    )
    parser.add_argument(
        "--images", metavar="FOLDER", type=Path, help="of pictures to compare on, 20 at most; else our two"
    )
    core_ml = parser.add_argument_group("Core ML")
    core_ml.add_argument(
        "--compute-units", choices=COMPUTE_UNITS, default="ALL", help="what it may run on (default ALL); kept to"
    )
    core_ml.add_argument(
        "--minimum-target",
        choices=MINIMUM_TARGETS,
        metavar="SYSTEM",
        default="iOS16",
        help="oldest system: iOS15 to 18, 26, macOS12 to 15, 26 (default iOS16, the same as macOS13)",
    )
    core_ml.add_argument("--tensors", action="store_true", help="take the model's own tensors, not pictures")
    parser.add_argument("--json", action="store_true", help="as JSON")
    # What else the product could be told of a model does not matter here.
    parser.set_defaults(verb="agent.app.model.convert.verb:main", server=(), worker_python=None, isolate=False)


def _input(text: str) -> InputSpec:
    try:
        return parse_input(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
