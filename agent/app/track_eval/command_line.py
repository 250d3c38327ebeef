"""What can be asked of `sitewatch track-eval`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

# Named as the tracker's parameters.
PARAMETERS = {
    "high_threshold": "score for the first association",
    "low_threshold": "score for the second association",
    "new_track_threshold": "score that begins a track",
    "high_cost_limit": "greatest 1 - IoU * score of the first association",
    "low_cost_limit": "greatest 1 - IoU of the second",
    "tentative_cost_limit": "greatest 1 - IoU * score that confirms a track",
    "duplicate_iou": "overlap at which the younger of two tracks goes",
    "other_class_weight": "worth of a match across classes",
}
SETS = ("default", "reference")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", help="a sequence, or a folder of sequences")
    _describe_sets(parser)
    tuning = parser.add_argument_group(
        "parameters", "In place of those of the chosen set, each 0 to 1 but the patience."
    )
    for name, text in PARAMETERS.items():
        tuning.add_argument(f"--{name.replace('_', '-')}", metavar="X", type=float, help=text)
    tuning.add_argument("--lost-patience", metavar="T", help="how long a lost track is kept: 500ms, 2s")
    reading = parser.add_argument_group("reading")
    reading.add_argument("--every", metavar="N", type=_whole, default=1, help="look at each Nth frame only")
    reading.add_argument(
        "--frame-rate", metavar="F", type=_rate, help="frames a second; else what the sequence says of itself"
    )
    reading.add_argument(
        "--preprocessing",
        choices=("auto", "mot17", "none"),
        default="auto",
        help="mot17: pedestrians count, tracks on distractors do not; auto: by the look of the classes",
    )
    _describe_output(parser)
    parser.set_defaults(verb="agent.app.track_eval.verb:main", usage_mistake=usage_mistake)


def usage_mistake(options: argparse.Namespace) -> str:
    """What does not fit together, or empty."""
    if not (options.folders or options.speed):
        return "track-eval needs FOLDER or --speed"
    if options.peer_python and not options.speed:
        return "--peer-python goes with --speed"
    if options.out and not options.folders:
        return "--out needs FOLDER"
    is_tuned = options.lost_patience or any(getattr(options, name) is not None for name in PARAMETERS)
    if options.results and is_tuned:
        return "--results are of a tracker that has run; parameters change nothing there"
    if options.results and options.speed and not options.compare:
        return "--speed has no tracker to run; leave --results out, or add --compare default"
    return ""


def _describe_sets(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is evaluated", "The tracker with its default parameters, unless:")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--reference", action="store_true", help="with the published algorithm's parameters")
    one.add_argument("--site", metavar="SITE.yaml", type=Path, help="with the tracking section of this site file")
    one.add_argument(
        "--results",
        metavar="R",
        type=Path,
        help="no tracker: score this file, or R/NAME.txt for each sequence, or the file R in each one's folder",
    )
    group.add_argument(
        "--compare", choices=SETS, action="append", default=[], help="and beside it this set; may be given twice"
    )


def _describe_output(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="as JSON")
    output.add_argument(
        "--out", metavar="DIR", type=Path, help="write the tracks, as DIR/NAME.txt; DIR/SET/NAME.txt with --compare"
    )
    output.add_argument("--speed", action="store_true", help="and the time of an update with 10 to 1000 objects")
    output.add_argument(
        "--peer-python",
        metavar="PYTHON",
        type=Path,
        action="append",
        default=[],
        help="beside the peers that this interpreter has: cjm-byte-track, pyxtrackers",
    )


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a whole number from 1")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed is a number above 0")
    return rate
