"""Runs another package's tracker in that package's own interpreter: Python 3.9 or newer and NumPy, nothing of ours.

Called without an argument it prints one JSON object: the peers installed there, with their versions. Called with the
name of a peer it answers every line on standard input with a line, both JSON:

    {"scene": [[[x1, y1, x2, y2, score], ...], ...]}  begins afresh; answers {}
    {"frames": [first, behind last]}                  answers {"spent_s": [processor seconds of each update]}
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZE_PX = (1080, 1920)
# The publication's thresholds, as far as a package has them.
THRESHOLD, COST_LIMIT, PATIENCE_FRAMES = 0.6, 0.9, 30
Update = Callable[[Any], Any]


def cjm_byte_track() -> Update:
    """A port of the publication's code."""
    module = importlib.import_module("cjm_byte_track.core")
    tracker = module.BYTETracker(
        track_thresh=THRESHOLD, track_buffer=PATIENCE_FRAMES, match_thresh=COST_LIMIT, frame_rate=30
    )
    return lambda rows: tracker.update(rows, SIZE_PX, SIZE_PX)


def pyxtrackers() -> Update:
    """The same, compiled."""
    module = importlib.import_module("pyxtrackers")
    tracker = module.BYTETracker(track_thresh=THRESHOLD, match_thresh=COST_LIMIT, track_buffer=PATIENCE_FRAMES)
    update: Update = tracker.update
    return update


# Distribution: what makes a new tracker of it.
PEERS: dict[str, Callable[[], Update]] = {"cjm-byte-track": cjm_byte_track, "pyxtrackers": pyxtrackers}


def main() -> None:
    """As the module says."""
    if len(sys.argv) < 2:
        answer(installed())
        return
    make = PEERS[sys.argv[1]]
    update, frames = make(), []
    for line in sys.stdin:
        asked = json.loads(line)
        if "scene" in asked:
            update, frames = make(), [np.array(rows, np.float64).reshape(-1, 5) for rows in asked["scene"]]
            answer({})
        else:
            first, behind_last = asked["frames"]
            answer({"spent_s": [spent_s(update, rows) for rows in frames[first:behind_last]]})


def installed() -> dict[str, str]:
    """Peer to version."""
    there = {
        each.metadata["Name"].lower().replace("_", "-"): each.version for each in importlib.metadata.distributions()
    }
    return {name: there[name] for name in PEERS if name in there}


def spent_s(update: Update, rows: Any) -> float:  # noqa: ANN401 - an array, of a NumPy of theirs
    """Processor seconds of one update; other programs on the machine do not lengthen them."""
    begin = time.thread_time()
    update(rows)
    return time.thread_time() - begin


def answer(content: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
