"""What the line costs: processor seconds a frame of each part and of the whole, against the floors and the usual loop.

Every part runs in a process of its own, all parts in turn, several rounds; the ratio of each round is taken in that
round, so a machine whose speed drifts does not bend it. Needs ffmpeg, and mosquitto for the frame age.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.frame_age import measure_frame_age

HERE = Path(__file__).parent
PARTS = HERE / "line_parts.py"
LONG_S, SHORT_S = 24, 4
RATE = 25


@dataclass(frozen=True)
class Bench:
    """What is measured, and on what."""

    model: Path
    runtime: str
    threads: int
    frames: int
    folder: Path

    def clip(self, seconds: int) -> Path:
        """The clip of that length."""
        return self.folder / f"clip{seconds}.mp4"

    def part(self, name: str, clip: Path) -> dict[str, float]:
        """Run one part in a process of its own; frames, cpu_s, wall_s."""
        return _result(name, self._start(name, clip))

    def cost(self, name: str) -> float:
        """Processor milliseconds a frame of one part, alone."""
        return _milliseconds(self.part(name, self.clip(LONG_S)))

    def _start(self, name: str, clip: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(PARTS), name, "--clip", str(clip), "--model", str(self.model)]
        command += ["--site", str(self.folder / "site.yaml"), "--runtime", self.runtime]
        command += ["--threads", str(self.threads), "--frames", str(self.frames)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _result(name: str, process: subprocess.Popen[str]) -> dict[str, float]:
    said, errors = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{name} failed:\n{errors}")
    measured: dict[str, float] = json.loads(said.splitlines()[-1])
    return measured


def _milliseconds(measured: dict[str, float]) -> float:
    return 1e3 * measured["cpu_s"] / measured["frames"]


def main() -> int:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sitewatch-bench-") as name:
        bench = Bench(options.model.absolute(), options.runtime, options.threads, options.frames, Path(name))
        _make_clips(options.source.absolute(), bench)
        _write_site(bench)
        rounds = [_round(bench, number) for number in range(options.rounds)]
        _print_costs(rounds, bench)
        if options.age_seconds:
            print(measure_frame_age(bench.clip(LONG_S), bench.model, bench.folder, options.age_seconds))
    return 0


def _options() -> argparse.Namespace:
    assets = Path(os.environ.get("SITEWATCH_ASSETS", HERE.parents[2] / "shared" / "assets"))
    parser = argparse.ArgumentParser(prog="scripts/bench line", description=__doc__)
    parser.add_argument(
        "--source", type=Path, default=assets / "videos" / "vtest_h264.mp4", help="made a 1080p clip of"
    )
    parser.add_argument("--model", type=Path, default=assets / "models" / "yolox_nano_416.onnx", help="a YOLOX model")
    parser.add_argument("--runtime", default="onnxruntime", choices=("onnxruntime", "openvino"))
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="of one inference")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--age-seconds", type=int, default=30, help="length of the live run; 0 leaves it out")
    return parser.parse_args()


def _make_clips(source: Path, bench: Bench) -> None:
    """1080p H.264 at 25 frames a second and 6 Mbit/s without B-frames, as a camera sends it; and its beginning."""
    encode = ["-vf", "scale=1920:1080", "-r", str(RATE), "-an", "-c:v", "libx264", "-preset", "veryfast"]
    encode += ["-bf", "0", "-b:v", "6M", "-g", str(2 * RATE), "-t", str(LONG_S)]
    long, short = bench.clip(LONG_S), bench.clip(SHORT_S)
    ffmpeg = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*ffmpeg, "-stream_loop", "-1", "-i", str(source), *encode, str(long)], check=True)
    subprocess.run([*ffmpeg, "-i", str(long), "-t", str(SHORT_S), "-c", "copy", str(short)], check=True)


def _write_site(bench: Bench) -> None:
    site = f"""\
site: bench
sink: jsonl
model: {{path: {bench.model}, engine: {bench.runtime}, threads: {bench.threads}}}
cameras: {{any: {{source: {bench.clip(LONG_S)}}}}}
"""
    (bench.folder / "site.yaml").write_text(site)


def _round(bench: Bench, number: int) -> dict[str, float]:
    """Processor milliseconds a frame of everything, once."""
    long = bench.clip(LONG_S)
    costs = {name: bench.cost(name) for name in ("decode", "runtime", "both", "usual", "capture", "inference")}
    # The whole has a start-up that the parts have not: the difference of two lengths is free of it.
    whole, beginning = bench.part("line", long), bench.part("line", bench.clip(SHORT_S))
    costs["line"] = 1e3 * (whole["cpu_s"] - beginning["cpu_s"]) / ((LONG_S - SHORT_S) * RATE)
    costs["rest"] = costs["line"] - costs["capture"] - costs["inference"]
    print(f"round {number + 1}: " + ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items()), file=sys.stderr)
    return costs


def _print_costs(rounds: list[dict[str, float]], bench: Bench) -> None:
    rows = {
        "decode": "floor: the decoder alone",
        "runtime": "floor: the run-time alone",
        "both": "floor: both at once",
        "capture": "capture and scale",
        "inference": "inference",
        "rest": "everything else",
        "line": "the whole line",
        "usual": "the usual loop",
    }
    print(f"1080p H.264, {bench.model.name} on {bench.runtime}, {bench.threads} threads, {len(rounds)} rounds")
    print(f"{'processor ms a frame':<28}{'median':>9}{'min':>9}{'max':>9}")
    for name, words in rows.items():
        values = [costs[name] for costs in rounds]
        print(f"{words:<28}{statistics.median(values):9.2f}{min(values):9.2f}{max(values):9.2f}")
    ratios = {
        "whole / floors, each measured alone": [each["line"] / (each["decode"] + each["runtime"]) for each in rounds],
        "whole / floors, both at once": [each["line"] / each["both"] for each in rounds],
        "usual loop / whole": [each["usual"] / each["line"] for each in rounds],
    }
    for words, values in ratios.items():
        print(f"{words + ', median of the rounds':<60}{statistics.median(values):6.2f}")


if __name__ == "__main__":
    raise SystemExit(main())
