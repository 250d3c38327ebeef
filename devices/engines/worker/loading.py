"""Loads an engine into a worker: one of the agent's own, or a run-time that only another Python has."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.engines.engine import BuildWatch, Engine, EngineRequest, EngineSpec, TensorSpec, WorkerUse
from devices.engines.worker.engine_worker import Message
from devices.engines.worker.isolated_engine import Feed, IsolatedEngine
from devices.engines.worker.starting import start_worker
from devices.engines.worker.worker_keeper import WorkerKeeper
from devices.engines.worker.worker_order import HERE, LIMITS, WorkerLimits, WorkerOrder
from devices.engines.worker.worker_process import NONSENSE, WorkerProcess
from devices.errors import EngineLoadError
from devices.inventory import Accelerator, AcceleratorKind

_NOTE = "in a worker, a process of its own"
_ROOT = HERE.parents[2]


def if_isolated(name: str, load: Callable[[EngineRequest], Engine]) -> Callable[[EngineRequest], Engine]:
    """The same factory, which loads into a worker where the request asks for isolation.

    Args:
        name: of the run-time, for people.
        load: the `load` of a module that a Python of its own can import by name.
    """

    def chosen(request: EngineRequest) -> Engine:
        return load_own(name, load.__module__, request) if request.worker.is_isolated else load(request)

    return chosen


def load_own(name: str, module: str, request: EngineRequest, limits: WorkerLimits = LIMITS) -> IsolatedEngine:
    """Load by `module`'s own `load`, in a worker under this Python: the same engine, cache and all.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: the run-time cannot be used.
        EngineLoadError: it refused the model, crashed over it, or took too long.
    """
    return open_engine(own_order(name, module, request), limits, spec=own_spec, feed=dict)


def own_order(name: str, module: str, request: EngineRequest) -> WorkerOrder:
    """What a worker needs for an engine of ours.

    Args:
        name: of the run-time, for people.
        module: where `load` is, by its full name.
        request: as the module takes it.
    """
    inside = replace(request, worker=WorkerUse(), build=BuildWatch(deadline_s=request.build.deadline_s))
    content = pickle.dumps(inside)
    return WorkerOrder(
        name=name,
        interpreter=Path(sys.executable),
        runtime=HERE / "runtimes" / "own_engine.py",
        model=lambda: content,
        options={"module": module, "root": str(_ROOT)},
        lanes=request.sessions,
        build=request.build,
    )


def open_engine(
    order: WorkerOrder,
    limits: WorkerLimits,
    *,
    spec: Callable[[Message], EngineSpec],
    feed: Feed,
) -> IsolatedEngine:
    """Start a worker and keep one running.

    Args:
        order: what it runs.
        limits: how long and how often.
        spec: the engine's, from what the worker says of it.
        feed: from a session's tensors to the worker's.

    Raises:
        ModelFileError, EngineUnavailable, EngineLoadError: as `start_worker`.
    """

    def started() -> tuple[WorkerProcess, EngineSpec]:
        worker, loaded = start_worker(order, limits)
        try:
            return worker, spec(loaded)
        except NONSENSE as error:
            worker.kill()
            raise EngineLoadError(f"{order.name}: the engine worker tells nonsense of its engine ({error})") from error

    def another() -> WorkerProcess:
        worker, found = started()
        if (found.inputs, found.outputs, found.model_sha256) != (told_of.inputs, told_of.outputs, told_of.model_sha256):
            worker.kill()
            raise EngineLoadError(f"{order.name}: the model or its run-time was replaced; start sitewatch anew")
        return worker

    first, told_of = started()
    return IsolatedEngine(told_of, WorkerKeeper(first, another, limits, order.build.restarted), feed)


def tensor_spec(row: Mapping[str, Any]) -> TensorSpec:
    """As a worker tells it."""
    return TensorSpec(str(row["name"]), str(row["dtype"]), tuple(row["shape"]))


def own_spec(loaded: Message) -> EngineSpec:
    """As a worker tells of an engine of ours."""
    device = dict(loaded["accelerator"])
    device.update(kind=AcceleratorKind(device["kind"]), capability=tuple(device["capability"]))
    specs = {part: tuple(tensor_spec(row) for row in loaded[part]) for part in ("inputs", "outputs")}
    return EngineSpec(**{**loaded, **specs, "accelerator": Accelerator(**device), "notes": (*loaded["notes"], _NOTE)})
