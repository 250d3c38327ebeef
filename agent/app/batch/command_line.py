"""What can be asked of `sitewatch batch`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Run many clips through one engine, several at a time: every frame of every clip,
in order, as fast as it goes. Each clip gets a video with what was seen drawn
into it, and its events. A clip that cannot be used does not keep the others.
"""
MORE = """\
written to DIR, for each clip, under its name without the ending (NAME-2 and so on
where several clips have the same):
  NAME.mp4               the clip with boxes, ids, labels and rate
  NAME.events.jsonl      its events, one a line
  NAME.txt               with --mot: its tracks, as replay --mot writes them
  NAME.done.json         what came of it; written last
and summary.json, what came of all. Files appear whole or not at all.

The next run passes over clips that are done: same file (size and time), same
model, settings, release and outputs, and the results still there. A run that is
stopped, or killed, loses the clips in play only.

exit status:
  0 all are done; 64 wrong options; 65 a clip failed, or is cut short or damaged
  (what it gave is kept); 69 no engine can run the model; 73 DIR cannot be
  written, and what is done stays; 78 the model, labels or site file cannot be
  used; 130 or 143 stopped by a signal

examples:
  sitewatch batch recordings --out results --model yolox_nano.onnx
  sitewatch batch a.mp4 b.mkv --out results --site site.yaml --mot --no-video
  sitewatch batch recordings --out results --model m.onnx --batch 8 --jobs 16
"""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("clips", metavar="CLIP", nargs="+", help="a video file, or a folder: the video files in it")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where results go; made if missing")
    parser.add_argument("--model", metavar="M.onnx", help="the detection model or bundle, or the word `motion`")
    parser.add_argument("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    parser.add_argument("--site", metavar="SITE.yaml", type=Path, help="take model and thresholds from this site file")
    parser.add_argument("--score-threshold", metavar="S", type=float, help="least score of a detection, 0 to 1")
    parser.add_argument("--jobs", metavar="N", type=int, help="clips in play at a time; else what the engine needs")
    parser.add_argument("--batch", metavar="N", type=int, help="frames of different clips in one inference, at most")
    parser.add_argument("--sessions", metavar="N", type=int, help="inferences that may run at once")
    parser.add_argument("--mot", action="store_true", help="write tracks as text for evaluators, too")
    parser.add_argument("--no-video", action="store_true", help="write no videos")
    parser.add_argument("--anew", action="store_true", help="play clips again that are done")
    parser.set_defaults(verb="agent.app.batch.verb:main")
