"""Starts a worker and has it load its model: after this it answers inferences, or nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time

from devices.engines.worker.engine_worker import PROTOCOL, Lane, Message
from devices.engines.worker.noise import Noise, open_noise
from devices.engines.worker.unnamed_memory import filled_memory, unnamed_memory
from devices.engines.worker.worker_order import WorkerLimits, WorkerLost, WorkerOrder
from devices.engines.worker.worker_process import WorkerProcess
from devices.errors import DevicesError, EngineLoadError, EngineUnavailable, ModelFileError

_OURS: dict[str, type[DevicesError]] = {
    each.__name__: each for each in (ModelFileError, EngineUnavailable, EngineLoadError)
}
_MISSING = ("ImportError", "ModuleNotFoundError", "OSError")


def start_worker(order: WorkerOrder, limits: WorkerLimits) -> tuple[WorkerProcess, Message]:
    """A worker that has loaded the model, and what it says of the engine.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: the interpreter or the run-time cannot be used.
        EngineLoadError: the run-time refused the model, crashed over it, or took too long.
    """
    worker = _spawned(order, order.model())
    try:
        _greet(worker, order, limits)
        loaded = _load(worker, order)
        worker.keep_lanes(int(loaded["lanes"]))
    except BaseException:
        worker.kill()
        raise
    return worker, loaded["loaded"]


def _spawned(order: WorkerOrder, model: bytes) -> WorkerProcess:
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as theirs:
        try:
            noise = open_noise()
            undo.callback(noise.close)
            model_fd = filled_memory("model", model)
            theirs.callback(os.close, model_fd)
            lanes, descriptors = [], []
            for _ in range(max(1, order.lanes)):
                lane, words_fd, memory_fd = _lane(theirs)
                undo.callback(lane.close)
                lanes.append(lane)
                descriptors.append((words_fd, memory_fd))
            process = _process(order, model_fd, descriptors, noise)
        except OSError as error:
            raise EngineUnavailable(
                f"{order.name}: the engine worker cannot be started with {order.interpreter}: {error.strerror}"
            ) from error
        undo.pop_all()
    return WorkerProcess(order.name, process, lanes, noise)


def _lane(theirs: contextlib.ExitStack) -> tuple[Lane, int, int]:
    """Our end of a new lane, and the descriptors of theirs."""
    ours, words = socket.socketpair()
    theirs.callback(words.close)
    try:
        memory_fd = unnamed_memory("tensors")
    except OSError:
        ours.close()
        raise
    return Lane(ours, memory_fd), words.fileno(), memory_fd


def _process(
    order: WorkerOrder, model_fd: int, descriptors: list[tuple[int, int]], noise: Noise
) -> subprocess.Popen[bytes]:
    lanes = [f"{words}:{memory}" for words, memory in descriptors]
    return subprocess.Popen(  # noqa: S603 - the site file names the interpreter; no shell
        [str(order.interpreter), str(order.program), str(order.runtime), str(model_fd), *lanes],
        stdin=subprocess.PIPE,
        stdout=noise.descriptor,
        stderr=noise.descriptor,
        pass_fds=(model_fd, *(each for pair in descriptors for each in pair)),
        start_new_session=True,  # signals of a terminal are the agent's, and what the worker starts goes with it
    )


def _greet(worker: WorkerProcess, order: WorkerOrder, limits: WorkerLimits) -> None:
    try:
        hello = worker.converse(None, limits.start_s)
    except WorkerLost as error:
        raise EngineUnavailable(f"{error} (started with {order.interpreter})") from error
    if hello.get("protocol") != PROTOCOL:
        raise EngineUnavailable(
            f"{order.name}: the engine worker {order.program} speaks protocol {hello.get('protocol')}, this agent "
            f"{PROTOCOL}: sitewatch was replaced while it ran; start it anew"
        )


def _load(worker: WorkerProcess, order: WorkerOrder) -> Message:
    request = {"op": "load", "options": dict(order.options)}
    began_s = time.monotonic()
    try:
        answer = worker.converse(request, order.build.deadline_s, order.build.told)
    except WorkerLost as error:
        seconds = time.monotonic() - began_s
        raise EngineLoadError(f"{error} (while it loaded the model, after {seconds:.1f} s)") from error
    if "failed" in answer:
        raise _refusal(order, answer)
    if not isinstance(answer.get("loaded"), dict) or not isinstance(answer.get("lanes"), int):
        raise EngineLoadError(f"{order.name}: the engine worker answered nonsense to being told to load")
    return answer


def _refusal(order: WorkerOrder, answer: Message) -> DevicesError:
    kind = str(answer.get("kind"))
    if kind in _OURS:
        return _OURS[kind](answer["failed"])
    if kind in _MISSING:
        return EngineUnavailable(f"{order.name} cannot be imported by {order.interpreter}: {answer['failed']}")
    return EngineLoadError(f"{order.name}, in the engine worker, refuses the model: {answer['failed']}")
