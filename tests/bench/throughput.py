"""How much of a run-time's own speed the agent's detect stage leaves: frames a second of both, in turn, in one run.

For each run-time, float and eight bits: the run-time's own benchmark loop, then the whole stage, saturated, with the
same sessions and threads; several rounds, the ratio taken in each round. Each pair has a process of its own. The ratio
by processor time is what a machine that does nothing else comes to: other work on it bends the ratio of rates.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.detect_stage import DetectStage
from bench.int8_model import quantised, read_frames, tensors
from bench.runtime_loop import LOOPS

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest
from devices.inventory import Accelerator, AcceleratorKind

ASSETS = Path(os.environ.get("SITEWATCH_ASSETS", Path(__file__).parents[3] / "shared" / "assets"))
CALIBRATION_PICTURES = 64
FRAMES = 32
# Frames a second that cameras give, of those that the run-time alone can do.
OFFERED = 2.0


def main() -> int:
    """Measure and print."""
    options = _options()
    if options.pair:
        print(json.dumps(_measure(options, options.pair)))
        return 0
    print(f"{options.model.name}, {options.sessions} sessions of {options.threads} threads, batch 1, frames in memory")
    print(f"{'':<20}{'own loop':>12}{'stage':>12}{'stage / own loop':>30}{'by processor time':>20}")
    with tempfile.TemporaryDirectory(prefix="sitewatch-bench-") as folder:
        eight_bits = quantised(
            _plan(options.model),
            read_frames(options.pictures, CALIBRATION_PICTURES),
            Path(folder) / f"{options.model.stem}_int8.onnx",
        )
        models = {"float": options.model, "int8": eight_bits}
        ratios = [_pair(options, runtime, kind, models[kind]) for runtime in options.runtimes for kind in models]
    return 0 if min(ratios) >= options.least else 1


def _options() -> argparse.Namespace:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser = argparse.ArgumentParser(prog="scripts/bench throughput", description=__doc__)
    parser.add_argument("--model", type=Path, default=ASSETS / "models" / "yolox_nano_416.onnx")
    parser.add_argument("--labels", type=Path, default=ASSETS / "models" / "coco80.txt")
    parser.add_argument("--pictures", type=Path, default=ASSETS / "coco", help="folder of JPEG pictures")
    parser.add_argument("--runtimes", nargs="+", default=["onnxruntime", "openvino"], choices=tuple(LOOPS))
    parser.add_argument("--sessions", type=int, default=cores, help="inferences at once")
    parser.add_argument("--threads", type=int, default=1, help="of one inference")
    parser.add_argument("--frames", type=int, default=200, help="of each round")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--least", type=float, default=0.0, help="exit with 1 where a median ratio is below")
    parser.add_argument("--pair", choices=tuple(LOOPS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _pair(options: argparse.Namespace, runtime: str, kind: str, model: Path) -> float:
    """Measure one run-time with one model in a process of its own, and print its line."""
    command = [sys.executable, __file__, "--pair", runtime, "--model", str(model)]
    for name in ("labels", "pictures", "sessions", "threads", "frames", "rounds"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{runtime} {kind} failed:\n{done.stderr}")
    measured = json.loads(done.stdout.splitlines()[-1])
    own_wall, own_work = zip(*measured["own"], strict=True)
    wall, work = zip(*measured["stage"], strict=True)
    ratios = [ours / theirs for ours, theirs in zip(wall, own_wall, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    median = statistics.median(ratios)
    by_work = statistics.median(theirs / ours for ours, theirs in zip(work, own_work, strict=True))
    rates = f"{statistics.median(own_wall):9.1f} /s{statistics.median(wall):9.1f} /s"
    print(f"{runtime + ' ' + kind:<20}{rates}{median:9.3f}   ({low:.3f} to {high:.3f}){by_work:16.3f}", flush=True)
    return median


def _measure(options: argparse.Namespace, runtime: str) -> dict[str, list[tuple[float, float]]]:
    """Frames a second and processor seconds of the run-time's own loop and of the stage, one of each a round."""
    plan = _plan(options.model, options.labels)
    frames = read_frames(options.pictures, FRAMES, (plan.image.width_px, plan.image.height_px))
    own = LOOPS[runtime](options.model, next(tensors(plan, frames)), options.sessions, options.threads)
    engine = ENGINES[runtime].load(
        EngineRequest(
            options.model,
            Accelerator(AcceleratorKind.CPU, "CPU"),
            plan.image,
            threads=options.threads,
            sessions=options.sessions,
            batch=plan.engine_batch,
        )
    )
    stage = DetectStage(engine, plan, options.sessions, frames)
    offered = OFFERED * _rate(own, options.frames)[0]
    runs: dict[str, Callable[[], tuple[float, float]]] = {
        "own": lambda: _rate(own, options.frames),
        "stage": lambda: stage.run(options.frames, offered),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for number in range(options.rounds):
        for name in sorted(runs, reverse=number % 2 == 1):  # who goes first takes turns
            measured[name].append(runs[name]())
    return measured


def _rate(run: Callable[[int], None], count: int) -> tuple[float, float]:
    began = (time.perf_counter(), time.process_time())
    run(count)
    return count / (time.perf_counter() - began[0]), (time.process_time() - began[1]) / count


def _plan(model: Path, labels: Path | None = None) -> DetectionPlan:
    return plan_model(model, ModelSettings(path=model, labels=labels), DetectionSettings())


if __name__ == "__main__":
    raise SystemExit(main())
