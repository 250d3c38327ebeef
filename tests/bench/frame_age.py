"""From the capture of a frame to the broker's acknowledgement of its event: a live run, read off its own metrics."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from servers.mosquitto import Mosquitto
from servers.rtsp import RtspServer

METRIC = "sitewatch_frame_age_seconds"


def measure_frame_age(clip: Path, model: Path, folder: Path, seconds: int) -> str:
    """Run the agent on an RTSP camera and a real broker; p50 and p99 in a sentence."""
    with RtspServer({"cam": clip}) as camera, Mosquitto(folder) as broker:
        site = folder / "live.yaml"
        site.write_text(_site(camera.url("cam"), broker.port, model, folder))
        log = (folder / "live.log").open("wb")
        agent = subprocess.Popen([sys.executable, "-m", "agent", "run", str(site)], stderr=log)
        try:
            time.sleep(seconds)
            address = (folder / "live.log").read_text().split("metrics at ")[1].split("/metrics")[0]
            text = httpx.get(f"{address}/metrics").text
        finally:
            agent.terminate()
            agent.wait(30)
            log.close()
    buckets = _buckets(text)
    return (
        f"frame age, capture to acknowledgement, {int(buckets[-1][1])} events of one 1080p RTSP camera: "
        f"p50 {1e3 * _quantile(buckets, 0.5):.0f} ms, p99 {1e3 * _quantile(buckets, 0.99):.0f} ms"
    )


def _site(url: str, port: int, model: Path, folder: Path) -> str:
    return f"""\
site: bench
broker: {{host: 127.0.0.1, port: {port}}}
model: {{path: {model}, engine: onnxruntime}}
cameras: {{gate: {{source: "{url}", detect_fps: null}}}}
events: {{update_every: 100ms}}
http: {{port: 0}}
state_dir: {folder / "state"}
"""


def _buckets(text: str) -> list[tuple[float, float]]:
    """Upper limit and count up to it, of the one camera."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [(float(sample.labels["le"]), sample.value) for sample in samples if sample.name == f"{METRIC}_bucket"]


def _quantile(buckets: list[tuple[float, float]], share: float) -> float:
    """As Prometheus' histogram_quantile: straight between a bucket's limits."""
    wanted = share * buckets[-1][1]
    low, below = 0.0, 0.0
    for limit, count in buckets:
        if count >= wanted:
            return low if limit == float("inf") else low + (limit - low) * (wanted - below) / max(count - below, 1e-9)
        low, below = limit, count
    return low
