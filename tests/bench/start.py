"""Prints how long `sitewatch run` takes from its start to ready, with empty and with full caches, beside a bare import.

python tests/bench/start.py MODEL.onnx LABELS.txt [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINES = ("auto", "onnxruntime", "openvino")
DEADLINE_S = 120.0
IMPORTS = "import agent.app.run, agent.app.detection, onnxruntime"


def site_file(folder: Path, model: Path, labels: Path, engine: str) -> Path:
    """A site with one camera that is not there: readiness does not wait for it."""
    path = folder / "site.yaml"
    text = {
        "site": "bench", "sink": "jsonl", "events_file": str(folder / "events.jsonl"), "http": {"port": 0},
        "model": {"path": str(model), "labels": str(labels), "engine": engine},
        "cameras": {"gate": {"source": "rtsp://127.0.0.1:9/none"}}, "state_dir": str(folder / "state"),
        "log": {"format": "json"},
    }  # fmt: skip
    path.write_text(json.dumps(text))
    return path


def seconds_to_ready(site: Path) -> float:
    """From the start of the process to the line that says so."""
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "agent", "run", str(site)]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "ready after" in line or time.perf_counter() - began_s > DEADLINE_S:
                break
        took_s = time.perf_counter() - began_s
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    return took_s


def seconds_to_import() -> float:
    """The floor: an interpreter that imports what the agent needs, and ends."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], cwd=REPOSITORY, check=True)
    return time.perf_counter() - began_s


def main() -> None:
    """One line an engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    floor_s = statistics.median(seconds_to_import() for _ in range(options.rounds))
    print(f"imports alone {floor_s:.2f} s (medians of {options.rounds})")
    print(f"{'engine':<14}{'cold':>8}{'warm':>8}   warm / imports")
    for engine in ENGINES:
        cold, warm = [], []
        for _ in range(options.rounds):
            folder = Path(tempfile.mkdtemp(prefix="sitewatch-start-"))
            site = site_file(folder, options.model.resolve(), options.labels.resolve(), engine)
            cold.append(seconds_to_ready(site))
            warm.append(seconds_to_ready(site))
            shutil.rmtree(folder)
        cold_s, warm_s = statistics.median(cold), statistics.median(warm)
        print(f"{engine:<14}{cold_s:>6.2f} s{warm_s:>6.2f} s   {warm_s / floor_s:.2f}", flush=True)


if __name__ == "__main__":
    main()
