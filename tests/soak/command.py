"""`scripts/soak`: hours of faults, and whether anything grew or was lost."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from soak.course import soak  # noqa: E402 - the path comes first
from soak.report import table  # noqa: E402

ASSETS = TESTS.parents[1] / "shared" / "assets"


def main() -> int:
    """Run it; 0 when nothing was lost and nothing grew."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped on the way out
    seconds = options.seconds if options.seconds is not None else options.hours * 3600.0
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    assets = Path(os.environ.get("SITEWATCH_ASSETS") or ASSETS)
    with tempfile.TemporaryDirectory(prefix="soak-") as made:
        folder = Path(made) if options.out is None else options.out
        folder.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()

        def say(line: str) -> None:
            sys.stdout.write(f"{time.monotonic() - began_s:8.1f} s  {line}\n")
            sys.stdout.flush()

        say(f"seed {seed}")
        outcome = soak(folder, assets if assets.is_dir() else None, seconds, seed, say, one_life=options.one_life)
        found = table(outcome)
        (folder / "verdict.txt").write_text(f"{found}\n", encoding="utf-8")
        sys.stdout.write(f"\n{found}\n")
        if outcome.verdict() and options.out is None:
            sys.stdout.write("\n--- the end of the agent's log ---\n" + (folder / "agent.log").read_text()[-8000:])
    return 1 if outcome.verdict() else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--hours", type=float, default=1.0, help="how long (default: 1)")
    length.add_argument("--seconds", type=float, help="how long, for a short one: 90 or more")
    parser.add_argument("--seed", type=int, help="of the chance that chooses faults; it is printed")
    parser.add_argument("--one-life", action="store_true", help="never kill the agent: slow growth is seen best so")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep samples.csv, verdict.txt and the log there")
    options = parser.parse_args()
    if (options.seconds if options.seconds is not None else options.hours * 3600.0) < 90.0:
        parser.error("a soak takes 90 seconds or more: slopes need samples")
    if not Path("/proc/self/status").exists():
        parser.error("a soak needs Linux: figures are read from /proc")
    return options


if __name__ == "__main__":
    sys.exit(main())
