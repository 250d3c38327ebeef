"""What can be asked of `sitewatch model bench`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.app.model.evaluate.model_options import PRECISIONS, describe_engines, describe_reading, whole_number

DESCRIPTION = """\
Measure models on engines side by side: every engine with every picture size,
batch, precision and number of concurrent sessions that is asked for. Every round
of every combination is a process of its own, so that memory and crashes stay
apart, and combinations take turns, so that a busy machine favours none.
"""
MORE = """\
What is timed is one inference as the agent does it: uint8 pictures in, tensors
out. Loading, the first inference and a warm-up are told or left out, not mixed
in. A combination that cannot be, or fails, is a row with the reason.

table:
  milliseconds of one inference (mean, standard deviation, percentiles); pictures
  a second of all sessions together; processor milliseconds of a picture, all
  threads together; peak memory of the process, and what the engine added to it,
  in MiB; seconds to make the engine ready the first time; the first inference

exit status:
  0 something was measured; 64 wrong use; 65 options that do not fit; 69 nothing
  could be measured, or a package is missing; 73 the plot cannot be written;
  78 the model cannot be used

examples:
  sitewatch model bench model.onnx --engine all
  sitewatch model bench float.onnx int8.onnx --sessions 1,2 --plot bench.png
  sitewatch model bench open.onnx --batch 1,4,8 --input-size 320,640 --json
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+", help="a model file")
    describe_engines(parser, "all")
    varying = parser.add_argument_group("what varies", "Each one value, or several with commas.")
    varying.add_argument(
        "--input-size", metavar="WxH", type=_texts, default=(), help="where the model leaves it open: 320,640x384"
    )
    varying.add_argument("--batch", metavar="N", type=_numbers, default=(), help="where the model leaves it open: 1,4")
    varying.add_argument("--precision", metavar="P", type=_precisions, default=("auto",), help=", ".join(PRECISIONS))
    varying.add_argument("--sessions", metavar="N", type=_numbers, default=(1,), help="inferences at once: 1,2")
    parser.add_argument("--threads", metavar="N", type=whole_number, help="of one inference; else sessions share all")
    parser.add_argument("--calibration", metavar="C", type=Path, help="pictures to build int8 of a float model with")
    describe_reading(parser)
    length = parser.add_argument_group("how long")
    length.add_argument("--rounds", metavar="N", type=whole_number, default=3, help="of each combination (default 3)")
    length.add_argument("--seconds", metavar="S", type=_seconds, default=2.0, help="of a round that count (default 2)")
    length.add_argument("--warm-up", metavar="S", type=_seconds, default=0.5, help="before them (default 0.5)")
    output = parser.add_argument_group("output")
    output.add_argument("--plot", metavar="F.png", type=Path, help="and as a picture")
    output.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(verb="agent.app.model.bench.verb:main")


def _texts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(whole_number(word) for word in _texts(text))


def _precisions(text: str) -> tuple[str, ...]:
    words = _texts(text)
    for word in words:
        if word not in PRECISIONS:
            raise argparse.ArgumentTypeError(f"found {word!r}; allowed are {', '.join(PRECISIONS)}")
    return words


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 3600.0:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a number of seconds from 0 to 3600")
    return seconds
