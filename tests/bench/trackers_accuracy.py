"""Prints the scores of both parameter sets on the sequences of the assets: all frames, every third, every sixth.

python tests/bench/trackers_accuracy.py ../shared/assets/mot/scored
"""

from __future__ import annotations

import sys
from pathlib import Path

from trackers_scoring import Sequence

from trackers import ByteTrackSettings


def main() -> None:
    """One line a sequence and rate."""
    print(f"{'HOTA / MOTA / IDF1 / switches':<36}{'reference':<36}default")
    for folder in sorted(Path(sys.argv[1]).glob("*/")):
        sequence = Sequence.read(folder)
        for every in (1, 3, 6):
            rate = sequence.frame_rate / every
            sets = (ByteTrackSettings.reference(frame_rate=rate), ByteTrackSettings())
            told = ["{:.2f} / {:.2f} / {:.2f} / {}".format(*sequence.score(each, every)) for each in sets]
            print(f"{f'{sequence.name}, {rate:g} a second':<36}{told[0]:<36}{told[1]}", flush=True)


if __name__ == "__main__":
    main()
