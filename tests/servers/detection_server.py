"""The detection server, in two ways: in this process with an engine made at once, and as an operator runs it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from fakes.engine import CPU
from prometheus_client import CollectorRegistry

from agent.app.happened import make_happened
from agent.app.replay.drawing import draw_detections
from agent.app.serve.command_line import describe
from agent.app.serve.engines import Engines, Loaded, most_at_once
from agent.app.serve.plan import ServePlan, plan_of
from agent.app.serve.serve_line import ServeLine
from agent.clock import SystemClock
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Outcome, Supervisor
from agent.serve.app import Face, make_app
from agent.serve.http_server import HttpServer
from agent.serve.service import Served
from agent.telemetry.serve import ServeHappenings
from devices.engines.catalogue import ENGINES
from devices.engines.engine import Engine, EngineRequest

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0
START_S = 120.0
TURN_S = 0.02


@dataclass(eq=False)
class Serving:
    """A server of this process.

    Attributes:
        url: where it is.
        client: asks it; without proxies.
        served: what it serves.
        plan: how the model is fed and read.
        engine: the one for batches.
        outcomes: how it ended, once it has.
    """

    url: str
    client: httpx.Client
    served: Served
    plan: DetectionPlan
    engine: Engine
    supervisor: Supervisor
    outcomes: list[Outcome]

    def detect(self, content: bytes, **query: Any) -> httpx.Response:
        """Send one picture as the body."""
        return self.client.post("/detect", content=content, params=query)

    def metric(self, line: str) -> float:
        """The value on the line of the metrics that begins so."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(each.rpartition(" ")[2]) for each in lines if each.startswith(line))


def make_serve_plan(model: Path, *options: str) -> ServePlan:
    """As the command line makes it."""
    parser = argparse.ArgumentParser()
    describe(parser)
    return plan_of(parser.parse_args(["--model", str(model), "--port", "0", "--drain", "0s", *options]), {})


@contextmanager
def serving(model: Path, *options: str, devices: Sequence[str] = ("cpu 0",)) -> Iterator[Serving]:
    """Serve a model on ONNX Runtime until the end of the block; options as on the command line."""
    plan, clock = make_serve_plan(model, *options), SystemClock()
    registry, heartbeats = CollectorRegistry(), Heartbeats()
    happened = make_happened(registry, clock)
    told, served = ServeHappenings(happened.teller), Served(heartbeats.stalled)
    face = Face(served, registry, told, plan.usual, draw_detections, "0", plan.address.token)
    server = HttpServer(plan.address.host, 0, make_app(face), served, requests=plan.limits.requests)
    with ThreadPoolExecutor(plan.decoders, "decode") as decoders, closing(server):
        server.open()
        list(decoders.map(time.sleep, [TURN_S] * plan.decoders))  # so that its threads are there from the start
        engines = make_engines(plan, devices)
        line = ServeLine(plan, engines, served, happened, told, clock)
        ready = threading.Event()

        def on_ready() -> None:
            served.missing = ()
            ready.set()

        supervisor = Supervisor(
            line.ranks(server, decoders, on_ready), happened.pipeline, heartbeats, stop_within_s=DEADLINE_S
        )
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(supervisor.run()), name="supervisor")
        thread.start()
        try:
            assert ready.wait(DEADLINE_S)
            with httpx.Client(base_url=server.address, trust_env=False, timeout=DEADLINE_S) as client:
                yield Serving(server.address, client, served, engines.plan, _engine(engines), supervisor, outcomes)
        finally:
            supervisor.ask_to_stop()
            thread.join(DEADLINE_S)
            engines.close()


def make_engines(plan: ServePlan, devices: Sequence[str]) -> Engines:
    """Of ONNX Runtime on the processor, under as many devices' names as are wanted."""
    model = plan.model.model_copy(update={"batch": most_at_once(plan.model)})
    whole = plan_model(model.path, model, plan.detection)
    opened: list[Engine] = []
    by_device: dict[str, dict[int, Loaded]] = {}
    for device in devices:
        request = EngineRequest(whole.path, replace(CPU, name=device), image=whole.image, batch=whole.engine_batch)
        opened.append(ENGINES["onnxruntime"].load(request))
        by_device[device] = {whole.batch: Loaded(whole, opened[-1])}
    return Engines(by_device, opened)


def _engine(engines: Engines) -> Engine:
    return next(iter(engines.by_device.values()))[engines.batch].engine


class ServeProcess:
    """`sitewatch serve` in a process of its own, on a port of its own choice; its log is kept in `folder`."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self._log = folder / "serve.log"
        self._command = [sys.executable, "-m", "agent", "serve", "--port", "0", "--log-format", "text", *options]
        self._environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServeProcess:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_S)

    @property
    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """Where it is, as soon as it says so."""
        self.wait_for(" on http://")
        return "http://" + self.log.partition(" on http://")[2].split()[0]

    def wait_for(self, words: str, within_s: float = START_S) -> None:
        """Until the log holds these words."""
        until_s = time.monotonic() + within_s
        while words not in self.log:
            assert self.process is not None
            assert self.process.poll() is None, f"it ended before it said {words!r}:\n{self.log}"
            assert time.monotonic() < until_s, f"it never said {words!r}:\n{self.log}"
            time.sleep(TURN_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def status(self, within_s: float = START_S) -> int:
        """The exit status once it ends of itself."""
        assert self.process is not None
        return self.process.wait(within_s)
