"""One part of the line in a process of its own, timed: prints frames, processor seconds and wall seconds as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from bench import floors

from agent.cli import main as sitewatch
from agent.clock import SystemClock
from agent.detect.canvas import Canvas
from agent.detect.detection_plan import plan_model
from agent.settings.models import CameraSettings, DetectionSettings, ModelSettings, Pace
from agent.settings.types import SourceAddress
from agent.stream.open_source import open_source
from agent.stream.source import FrameNumbers
from devices.engines.catalogue import ENGINES
from devices.engines.dry_run import blank_tensor
from devices.engines.engine import EngineRequest
from devices.inventory import Accelerator, AcceleratorKind


class Silent:
    """Hears what a source tells, and says nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_: None


def capture(clip: Path, model: Path, frames: int) -> Callable[[], int]:
    """The product's source, and each picture painted into the model's batch buffer."""
    plan = plan_model(model, ModelSettings(path=model), DetectionSettings())
    size = (plan.image.width_px, plan.image.height_px)
    canvas = Canvas(1, size, plan.preprocessing.fit, plan.preprocessing.pad_value)
    settings = CameraSettings(source=SourceAddress.parse(str(clip)), pace=Pace.FAST, detect_fps=None)
    source = open_source("bench", settings, clock=SystemClock(), numbers=FrameNumbers(), listener=Silent())

    def work() -> int:
        done = 0
        for frame in source.frames():
            canvas.paint([frame])
            done += 1
            if done >= frames:
                break
        source.close()
        return done

    return work


def inference(model: Path, runtime: str, threads: int, frames: int) -> Callable[[], int]:
    """The product's engine, fed with uint8 pictures."""
    plan = plan_model(model, ModelSettings(path=model), DetectionSettings())
    accelerator = Accelerator(AcceleratorKind.CPU, "CPU")
    engine = ENGINES[runtime].load(EngineRequest(model, accelerator, plan.image, threads))
    session = engine.session()
    tensors = {spec.name: blank_tensor(spec) for spec in engine.spec.inputs}
    session.infer(tensors)

    def work() -> int:
        for _ in range(frames):
            session.infer(tensors)
        return frames

    return work


def line(clip: Path, site: Path, events: Path) -> Callable[[], int]:
    """The whole product; its start-up is part of it, so that two lengths must be compared."""

    def work() -> int:
        return sitewatch(["replay", str(clip), "--site", str(site), "--events", str(events)])

    return work


def main() -> int:
    """Run one part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("decode", "runtime", "both", "usual", "capture", "inference", "line"))
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--runtime", default="onnxruntime")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--frames", type=int, default=300)
    options = parser.parse_args()
    parts: dict[str, Callable[[], Callable[[], int]]] = {
        "decode": lambda: floors.decode_only(options.clip, options.frames),
        "runtime": lambda: floors.runtime_only(options.model, options.runtime, options.threads, options.frames),
        "both": lambda: floors.decode_beside_runtime(
            options.clip, options.model, options.runtime, options.threads, options.frames
        ),
        "usual": lambda: floors.usual_loop(options.clip, options.model, options.frames),
        "capture": lambda: capture(options.clip, options.model, options.frames),
        "inference": lambda: inference(options.model, options.runtime, options.threads, options.frames),
        "line": lambda: line(options.clip, options.site, options.site.with_name("events.jsonl")),
    }
    work = parts[options.part]()
    began = (time.process_time(), time.perf_counter())
    done = work()
    print(
        json.dumps({"frames": done, "cpu_s": time.process_time() - began[0], "wall_s": time.perf_counter() - began[1]})
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
