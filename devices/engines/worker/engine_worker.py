"""The engine worker: one model in a process of its own, asked over sockets, its tensors in shared memory.

A plain script for Python 3.8 and later that needs NumPy and the run-time only. The agent imports `Lane` from here,
so that both ends speak the same protocol:

* Command line: the run-time's file, the descriptor of the model, and `socket:memory` descriptors of each lane.
* Standard input carries nothing; its end means that the agent is gone. Standard output and error are anybody's.
* A frame is its length in 4 bytes, big end first, and a JSON object. Each side answers a frame before the next.
* First lane: hello from the worker {protocol, python}; {op: load, options}; any {progress, fraction}, then
  {loaded: ...} or {failed, kind}; in the end {op: close} and {closed}.
* Every lane: {op: infer, number, tensors} and {number, tensors} or {number, failed}. Tensors are rows of name, dtype,
  shape and offset in the lane's memory, which either side makes larger as it needs.

Several lanes are several requests in one worker, a thread each: the weights are there once, a crash is one restart.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import platform
import runpy
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional  # noqa: UP035 - Python 3.8 evaluates the aliases below

import numpy as np

PROTOCOL = 1
Message = Dict[str, Any]  # noqa: UP006 - evaluated by Python 3.8
Rows = List[List[Any]]  # noqa: UP006 - as above
Tell = Callable[[str, Optional[float]], None]  # noqa: UP045 - as above

_LENGTH = struct.Struct("!I")
_LONGEST_FRAME = 1 << 20
_MOST_AT_ONCE = 1 << 16
_ALIGNMENT = 64
_DTYPE_KINDS = "fiub"


class LaneClosed(Exception):  # noqa: N818 - it says what is so; the other side has gone
    """The other side of a lane is gone."""


class Lane:
    """A socket for words and a memory for tensors; one thread at a time."""

    def __init__(self, connection: socket.socket, memory_fd: int) -> None:
        self._connection = connection
        self._memory_fd = memory_fd
        self._memory: mmap.mmap | None = None
        self._received = b""

    def send(self, message: Message) -> None:
        """Send a frame.

        Raises:
            LaneClosed: the other side is gone.
        """
        content = json.dumps(message).encode()
        try:
            self._connection.sendall(_LENGTH.pack(len(content)) + content)
        except OSError as error:
            raise LaneClosed(str(error)) from error

    def receive(self, timeout_s: float | None = None) -> Message:
        """Wait for a frame.

        Raises:
            LaneClosed: the other side is gone.
            TimeoutError: it did not come in time.
            ValueError: what came is no frame.
        """
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size, until_s))
        if length > _LONGEST_FRAME:
            raise ValueError(f"a frame of {length} bytes")
        message = json.loads(self._take(length, until_s).decode())
        if not isinstance(message, dict):
            raise ValueError("a frame that is no object")  # noqa: TRY004 - what came is wrong, not our argument
        return message

    def put(self, tensors: dict[str, np.ndarray], start: int = 0) -> Rows:
        """Copy tensors into the memory from `start` on; the rows tell the other side where they are."""
        rows, offset = [], start
        for name, array in tensors.items():
            offset += -offset % _ALIGNMENT
            rows.append([name, array.dtype.name, list(array.shape), offset])
            offset += array.nbytes
        self._reach(offset + 1)
        views = self.views(rows)
        for name, array in tensors.items():
            views[name][...] = array
        return rows

    def views(self, rows: Rows) -> dict[str, np.ndarray]:
        """The tensors of these rows, in place.

        Raises:
            KeyError, TypeError, ValueError: the rows name something that is not in the memory, or no tensor.
        """
        views = {}
        for name, dtype, shape, offset in rows:
            kind = np.dtype(dtype)
            if kind.kind not in _DTYPE_KINDS or not isinstance(name, str) or offset < 0:
                raise ValueError(f"a tensor {name!r} of {dtype!r} at {offset!r}")
            size = kind.itemsize
            for axis in shape:
                size *= axis
            self._reach(offset + size + 1, may_grow=False)
            views[name] = np.ndarray(tuple(shape), kind, buffer=self._memory, offset=offset)
        return views

    def close(self) -> None:
        """Let go of socket and memory; views that are still held keep theirs."""
        self._connection.close()
        self._memory = None
        if self._memory_fd >= 0:
            os.close(self._memory_fd)
        self._memory_fd = -1

    def _take(self, count: int, until_s: float | None) -> bytes:
        while len(self._received) < count:
            left_s = None if until_s is None else until_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                raise TimeoutError("no answer in time")
            self._connection.settimeout(left_s)
            try:
                piece = self._connection.recv(_MOST_AT_ONCE)
            except socket.timeout as error:  # noqa: UP041 - an exception of its own before Python 3.10
                raise TimeoutError("no answer in time") from error
            except OSError as error:
                raise LaneClosed(str(error)) from error
            if not piece:
                raise LaneClosed("the other side closed the lane")
            self._received += piece
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _reach(self, size: int, *, may_grow: bool = True) -> None:
        """See the memory up to `size` at least."""
        if self._memory is not None and size <= len(self._memory):
            return
        there = os.fstat(self._memory_fd).st_size
        if there < size:
            if not may_grow:
                raise ValueError("a tensor beyond the memory")
            there = size + -size % mmap.PAGESIZE
            os.ftruncate(self._memory_fd, there)
        self._memory = mmap.mmap(self._memory_fd, there)


def main(arguments: list[str]) -> NoReturn:
    """Serve the model until told to close, or until the agent is gone."""
    _end_with_the_agent()
    runtime_file, model_fd, *descriptors = arguments
    pairs = [each.split(":") for each in descriptors]
    lanes = [Lane(socket.socket(fileno=int(words)), int(memory)) for words, memory in pairs]
    try:
        lanes[0].send({"protocol": PROTOCOL, "python": platform.python_version()})
        engine = _load(lanes[0], runtime_file, int(model_fd))
        for lane in lanes[1 : engine.lanes]:
            threading.Thread(target=_serve_to_the_end, args=(lane, engine), daemon=True).start()
        _serve(lanes[0], engine)
        engine.close()
        lanes[0].send({"closed": True})
    except LaneClosed:
        pass
    # Not by sys.exit: what vendor libraries do when an interpreter ends is where many of them crash.
    os._exit(0)


def _load(lane: Lane, runtime_file: str, model_fd: int) -> Any:  # noqa: ANN401 - each run-time has a class of its own
    options = lane.receive()["options"]
    with os.fdopen(model_fd, "rb") as stream:
        stream.seek(0)
        model = stream.read()
    try:
        engine = runpy.run_path(runtime_file)["load"](
            model, options, lambda step, fraction=None: lane.send({"progress": step, "fraction": fraction})
        )
    except Exception as error:  # the outermost loop of this process: every failure is an answer
        lane.send({"failed": _sentence(error), "kind": type(error).__name__})
        raise LaneClosed("nothing to serve") from error
    lane.send({"loaded": engine.spec, "lanes": engine.lanes})
    return engine


def _serve_to_the_end(lane: Lane, engine: Any) -> None:  # noqa: ANN401 - as above
    try:
        _serve(lane, engine)
    except LaneClosed:
        os._exit(0)


def _serve(lane: Lane, engine: Any) -> None:  # noqa: ANN401 - as above
    infer = engine.session()
    while True:
        request = lane.receive()
        if request["op"] == "close":
            return
        lane.send(_answer(lane, request, infer))


def _answer(lane: Lane, request: Message, infer: Callable[[Any], Any]) -> Message:
    answer = {"number": request["number"]}
    try:
        tensors = lane.views(request["tensors"])
        end = max((row[3] + tensors[row[0]].nbytes for row in request["tensors"]), default=0)
        # Behind the inputs, as a run-time may give an input back as an output.
        answer["tensors"] = lane.put(infer(tensors), end)
    except LaneClosed:
        raise
    except Exception as error:  # noqa: BLE001 - one inference failed, whatever the run-time raises; the next may work
        answer["failed"] = _sentence(error)
    return answer


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _end_with_the_agent() -> None:
    """The agent alone ends us: not the signals meant for it, and we not after it.

    On Linux the kernel kills us when the agent's end of standard input closes, whatever native code holds the
    interpreter then (a parent-death signal would come when the thread that started us ends). Elsewhere a thread looks.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # a handler, and not SIG_IGN, which children of a run-time would inherit
    sys.path[:] = [each for each in sys.path if Path(each or ".").resolve() != Path(__file__).resolve().parent]
    threading.Thread(target=_watch_agent, daemon=True).start()
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def _watch_agent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
