"""What can be asked of `sitewatch model triton`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import FAMILIES, whole_number

DESCRIPTION = """\
Write a model into the repository of a server that speaks KServe v2, so that many
sites, or many cameras of one, share its accelerator: Triton, MLServer, OpenVINO
Model Server. Prints what to write into a site file, whose engine kserve then asks
the server. The model's file stays on the site too: how it is fed and read, and its
labels, are told from it.
"""
MORE = """\
what is written:
  Triton    NAME/config.pbtxt, complete, NAME/labels.txt, NAME/VERSION/model.onnx.
            A new VERSION of a model written alike goes beside the old.
  MLServer  NAME/model-settings.json and NAME/onnx_model.py, which runs the model
            in the server's Python; it needs onnxruntime there
  OpenVINO  as for Triton, and the model's entry in config.json
  Either everything is written or nothing; another's model is never written over.

back ends of Triton:
  onnxruntime  an ONNX model (the usual)
  openvino     an ONNX model, or --held M.xml with M.bin beside it; Intel processors
  tensorrt     --held M.plan, built for the server's GPU and TensorRT
  python       an ONNX model by ONNX Runtime in the server's Python, for servers
               without the first, such as the one in nvidia-pytriton. Its Python
               needs onnxruntime, and NumPy below 2 up to Triton 24.10:
               --environment names a virtual environment that has both

batches:
  A model that leaves its batch open is tried with --max-batch pictures; if each
  comes out as alone, the server may put requests together. --max-delay 0 takes
  what waits already and costs a lone camera nothing.

exit status:
  0 written; 64 wrong use; 65 the model, a name or an option cannot be used; 69 a
  package is missing; 73 the repository cannot be written

examples:
  sitewatch model triton yolox.onnx --out models --warm-up
  sitewatch model triton yolox.onnx --out models --pictures --max-batch 16
  sitewatch model triton yolox.onnx --out models --held yolox.plan --name gate
  sitewatch model triton yolox.onnx --out models --for mlserver
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="the ONNX model, a bundle of it, or an OpenVINO model"
    )
    parser.add_argument("--out", metavar="REPOSITORY", type=Path, required=True, help="folder of the server's models")
    parser.add_argument(
        "--for",
        dest="kind",
        choices=("triton", "mlserver", "ovms"),
        default="triton",
        help="the server (default triton; ovms is OpenVINO Model Server)",
    )
    parser.add_argument("--name", metavar="NAME", help="of the model on the server; else its own")
    parser.add_argument("--model-version", metavar="N", default="1", help="(default 1)")
    parser.add_argument(
        "--replace", action="store_true", help="put it in the place of a model of that name, all its versions"
    )
    _describe_served(parser)
    _describe_running(parser)
    parser.set_defaults(verb="agent.app.model.triton.verb:main")
    # What the model's settings are made of besides, here always the usual.
    parser.set_defaults(precision="auto", worker_python=None, isolate=False, server=())


def _describe_served(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is served")
    group.add_argument("--held", metavar="FILE", type=Path, help="made of MODEL for the server: M.xml or M.plan")
    group.add_argument(
        "--pictures",
        action="store_true",
        help="the server's model takes uint8 pictures: a quarter of the bytes travel, but other clients must know",
    )
    group.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    group.add_argument("--family", choices=FAMILIES, default="auto", help="how its output is read")
    group.add_argument("--input-size", metavar="WxH", help="needed where the model leaves it open")


def _describe_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is run")
    group.add_argument(
        "--back-end",
        choices=("auto", "onnxruntime", "openvino", "tensorrt", "python"),
        default="auto",
        help="of Triton (default: by the file)",
    )
    group.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="(default auto)")
    group.add_argument("--gpus", metavar="N,N", type=_numbers, default=(), help="numbers of GPUs; else every one")
    group.add_argument(
        "--instances", metavar="N", type=whole_number, default=1, help="that run at once on a device (default 1)"
    )
    group.add_argument(
        "--max-batch", metavar="N", type=_batch, default=8, help="pictures at once, where the model can (default 8)"
    )
    group.add_argument("--preferred", metavar="N,N", type=_sizes, default=(), help="batches worth waiting for")
    group.add_argument(
        "--max-delay", metavar="MS", type=_delay, default=0, dest="delay_us", help="that a request waits (default 0)"
    )
    group.add_argument("--warm-up", action="store_true", help="run it once before it counts as ready")
    group.add_argument("--environment", metavar="FOLDER", type=Path, help="virtual environment of the python back end")
    group.add_argument(
        "--threads", metavar="N", type=whole_number, default=1, help="of one inference in Python (default 1)"
    )


def _batch(text: str) -> int:
    number = whole_number(text)
    if number > 64:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 1 to 64")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed are whole numbers with commas, such as 0,1")
    return tuple(dict.fromkeys(int(part) for part in parts))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted({whole_number(part) for part in text.split(",")}))


def _delay(text: str) -> int:
    """Milliseconds as microseconds."""
    try:
        delay_ms = float(text)
    except ValueError:
        delay_ms = -1.0
    if not 0.0 <= delay_ms <= 1000.0:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a number from 0 to 1000")
    return round(delay_ms * 1000)
