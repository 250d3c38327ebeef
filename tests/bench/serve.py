"""The detection server under load, with batching and without, beside the bare engine: all in turn, in one run.

Two servers and the clients are processes of their own. Each round asks each server with one client and with several,
and runs the engine alone on tensors that are there already. What counts are the ratios within a round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import onnx
from onnx import numpy_helper
from prometheus_client import CollectorRegistry
from servers.detection_server import ServeProcess, make_serve_plan

from agent.app.happened import make_happened
from agent.app.machine import Machine
from agent.app.serve.engines import EngineMaker, Engines
from agent.clock import SystemClock

ASSETS = Path(os.environ.get("SITEWATCH_ASSETS", Path(__file__).parents[3] / "shared" / "assets"))
BODY_AFTER = b"\r\n\r\n"


def main() -> int:
    """Measure and print."""
    options = _options()
    if options.client:
        print(
            json.dumps(
                asyncio.run(_ask(options.client, options.picture.read_bytes(), options.clients, options.seconds))
            )
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="sitewatch-bench-") as folder:
        model = _open_batch(options.model, Path(folder) / options.model.name) if options.open else options.model
        return _measure(options, model, Path(folder))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench serve", description=__doc__)
    parser.add_argument("--model", type=Path, default=ASSETS / "models" / "yolox_nano_416.onnx")
    parser.add_argument("--open", action="store_true", help="open the model's batch by an edit of its graph first")
    parser.add_argument("--picture", type=Path, default=None, help="a JPEG; else one of the exam's")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--batching", choices=("measured", "always"), default="measured")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    exam = Path(__file__).parents[2] / "agent" / "app" / "exam_pictures" / "cat_and_cup.jpg"
    options.picture = options.picture or exam
    return options


def _measure(options: argparse.Namespace, model: Path, folder: Path) -> int:
    measured: dict[str, list[dict[str, float]]] = defaultdict(list)
    with ExitStack() as running:
        turns: dict[str, Callable[[], dict[str, float]]] = {}
        servers = {"batching": options.batch, "no batching": 1}
        urls = {name: running.enter_context(_server(options, model, folder, name, servers[name])) for name in servers}
        for clients in (1, options.clients):
            for name, url in urls.items():
                turns[f"{name}, {clients} client{'s' * (clients > 1)}"] = _asking(options, url, clients)
        for batch in servers.values():
            turns[f"engine alone, batch {batch}"] = _alone(options, model, folder, batch, running)
        for number in range(options.rounds):
            for name in sorted(turns, key=list(turns).index, reverse=number % 2 == 1):  # who goes first takes turns
                measured[name].append(turns[name]())
    _tell(options, model, measured)
    return 0


@contextmanager
def _server(options: argparse.Namespace, model: Path, folder: Path, name: str, batch: int) -> Iterator[str]:
    place = folder / name.replace(" ", "-")
    place.mkdir()
    given = (
        "--model",
        str(model),
        "--cache",
        str(folder / "cache"),
        "--engine",
        options.engine,
        "--batching",
        options.batching,
    )
    with ServeProcess(place, *given, "--max-batch-size", str(batch)) as server:
        server.wait_for("ready after")
        lines = [line for line in server.log.splitlines() if "ready on" in line or "by batch" in line]
        print("\n".join(f"{name}: {line[22:]}" for line in lines), flush=True)
        yield server.url


def _asking(options: argparse.Namespace, url: str, clients: int) -> Callable[[], dict[str, float]]:
    command = [sys.executable, __file__, "--client", url, "--picture", str(options.picture)]
    command += ["--clients", str(clients), "--seconds", str(options.seconds)]

    def turn() -> dict[str, float]:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return dict(json.loads(done.stdout))

    return turn


def _alone(
    options: argparse.Namespace, model: Path, folder: Path, batch: int, running: ExitStack
) -> Callable[[], dict[str, float]]:
    """The engine that a server with this batch has, full batches, nothing around it."""
    plan = make_serve_plan(
        model, "--cache", str(folder / "cache"), "--engine", options.engine, "--max-batch-size", str(batch)
    )
    clock = SystemClock()
    maker = EngineMaker(plan, Machine(), clock, make_happened(CollectorRegistry(), clock), lambda _: None)
    engines = maker.make()
    running.callback(engines.close)
    session = next(iter(engines.by_device.values()))[engines.batch].engine.session()
    running.callback(session.close)
    tensors = _tensors(engines)

    def turn() -> dict[str, float]:
        took_s: list[float] = []
        until_s = time.monotonic() + options.seconds
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            session.infer(tensors)
            took_s.append(time.monotonic() - began_s)
        return _summed(took_s, engines.batch)

    return turn


def _tensors(engines: Engines) -> dict[str, np.ndarray]:
    image, size = engines.plan.image, engines.plan.size_input
    rows = engines.batch
    tensors = {image.name: np.full((rows, image.height_px, image.width_px, 3), 114, np.uint8)}
    if size is not None:
        tensors[size.name] = np.tile(np.array([image.width_px, image.height_px], size.dtype), (rows, 1))
    return tensors


def _summed(took_s: list[float], pictures: int = 1) -> dict[str, float]:
    ordered = sorted(took_s)
    return {
        "rate": pictures * len(ordered) / sum(ordered),
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))],
    }


async def _ask(url: str, content: bytes, clients: int, seconds: float) -> dict[str, float]:
    """So many clients, each with a connection of its own, each asking again as soon as it is answered."""
    host, port = url.removeprefix("http://").split(":")
    request = f"POST /detect HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
    took_s: list[float] = []
    until_s = time.monotonic() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            writer.write(request)
            head = await reader.readuntil(BODY_AFTER)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            took_s.append(time.monotonic() - began_s)
        writer.close()

    began_s = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    found = _summed(took_s)
    return {**found, "rate": len(took_s) / (time.monotonic() - began_s)}


def _tell(options: argparse.Namespace, model: Path, measured: dict[str, list[dict[str, float]]]) -> None:
    print(f"{model.name}, batches of {options.batch} at most, medians of {options.rounds} rounds")
    print(f"{'':<28}{'pictures/s':>12}{'p50 ms':>10}{'p99 ms':>10}")
    for name in sorted(measured):
        rate, p50, p99 = (statistics.median(each[key] for each in measured[name]) for key in ("rate", "p50", "p99"))
        print(f"{name:<28}{rate:>12.1f}{1000 * p50:>10.1f}{1000 * p99:>10.1f}")
    several = f"{options.clients} client{'s' * (options.clients > 1)}"
    for ours, theirs in (
        (f"batching, {several}", f"no batching, {several}"),
        ("batching, 1 client", "no batching, 1 client"),
        (f"batching, {several}", f"engine alone, batch {options.batch}"),
        (f"no batching, {several}", "engine alone, batch 1"),
    ):
        ratios = [one["rate"] / other["rate"] for one, other in zip(measured[ours], measured[theirs], strict=True)]
        print(f"{ours} / {theirs}: {statistics.median(ratios):.3f}   ({min(ratios):.3f} to {max(ratios):.3f})")


def _open_batch(source: Path, target: Path) -> Path:
    """The same model with its batch left open: for graphs whose reshapes alone name it."""
    model = onnx.load(str(source))
    shapes = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    for constant in model.graph.initializer:
        if constant.name in shapes:
            shape = numpy_helper.to_array(constant).copy()
            shape[0] = 0
            constant.CopyFrom(numpy_helper.from_array(shape, constant.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.graph.value_info[:]
    onnx.save(model, str(target))
    return target


if __name__ == "__main__":
    raise SystemExit(main())
