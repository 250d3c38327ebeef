"""One worker process as the agent sees it: its lanes, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy.typing as npt

from devices.engines.engine import BuildProgress, Tensors
from devices.engines.worker.engine_worker import Lane, LaneClosed, Message
from devices.engines.worker.noise import Noise
from devices.engines.worker.worker_order import WorkerLost
from devices.errors import InferenceError

_REAP_S = 5.0
NONSENSE = (KeyError, TypeError, ValueError, IndexError, OverflowError)
"""What reading an answer raises that keeps no rule of the protocol."""


class WorkerProcess:
    """A running worker. Any number of threads may infer; each borrows a lane and waits where none is free."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], lanes: list[Lane], noise: Noise) -> None:
        self._name = name
        self._process = process
        self._noise = noise
        self._numbers = itertools.count(1)
        self._free = lanes
        self._lane_freed = threading.Condition()
        self._is_gone = False

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has neither ended nor been given up."""
        return not self._is_gone and self._process.poll() is None

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]], outputs: tuple[str, ...], timeout_s: float) -> Tensors:
        """Run once; the outputs of these names are copies.

        Raises:
            InferenceError: the run-time failed, the worker lives.
            WorkerLost: the worker is gone.
        """
        until_s = time.monotonic() + timeout_s
        with self._borrowed(timeout_s) as lane:
            number = next(self._numbers)
            try:
                rows = lane.put(dict(tensors))
            except OSError as error:
                raise InferenceError(f"{self._name}: no memory for the tensors: {error.strerror}") from error
            request = {"op": "infer", "number": number, "tensors": rows}
            answer = self._ask(lane, request, until_s, timeout_s)
            try:
                return self._results(lane, answer, number, outputs)
            except NONSENSE as error:
                raise self._lost(f"answered nonsense ({error})") from error

    def converse(
        self, request: Message | None, timeout_s: float, told: Callable[[BuildProgress], None] | None = None
    ) -> Message:
        """Say something on the first lane, before any inference, and wait for what is not progress.

        Raises:
            WorkerLost: the worker is gone.
        """
        until_s = time.monotonic() + timeout_s
        lane = self._free[0]
        answer = self._ask(lane, request, until_s, timeout_s)
        while "progress" in answer:
            if told is not None:
                told(BuildProgress(str(answer["progress"]), answer.get("fraction")))
            answer = self._ask(lane, None, until_s, timeout_s)
        return answer

    def keep_lanes(self, count: int) -> None:
        """Let go of the lanes that the run-time does not serve."""
        while len(self._free) > max(1, count):
            self._free.pop().close()

    def end(self, timeout_s: float) -> None:
        """End it in good order where it listens, else by force; may be called twice."""
        with contextlib.suppress(InferenceError, subprocess.TimeoutExpired):
            if self.is_running:
                with self._borrowed(timeout_s) as lane:
                    self._ask(lane, {"op": "close"}, time.monotonic() + timeout_s, timeout_s)
                    self._process.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """End it now, with whatever it started; every call under way fails; may be called twice."""
        with self._lane_freed:
            was_gone, self._is_gone = self._is_gone, True
            idle, self._free = self._free, []
            self._lane_freed.notify_all()
        for lane in idle:
            lane.close()
        if was_gone:
            return
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._noise.close()

    @contextlib.contextmanager
    def _borrowed(self, timeout_s: float) -> Iterator[Lane]:
        with self._lane_freed:
            if not self._lane_freed.wait_for(lambda: self._free or self._is_gone, timeout_s):
                raise InferenceError(f"{self._name}: every lane of the engine worker was busy for {timeout_s:g} s")
            if self._is_gone:
                raise WorkerLost(f"{self._name}: the engine worker is gone")
            lane = self._free.pop()
        try:
            yield lane
        finally:
            self._give_back(lane)

    def _give_back(self, lane: Lane) -> None:
        with self._lane_freed:
            if not self._is_gone:
                self._free.append(lane)
                self._lane_freed.notify()
                return
        lane.close()

    def _ask(self, lane: Lane, request: Message | None, until_s: float, timeout_s: float) -> Message:
        try:
            if request is not None:
                lane.send(request)
            return lane.receive(max(until_s - time.monotonic(), 0.001))
        except TimeoutError as error:
            raise self._lost(f"gave no answer within {timeout_s:g} s") from error
        except LaneClosed as error:
            raise self._lost(self._how_it_ended()) from error
        except ValueError as error:
            raise self._lost(f"answered nonsense ({error})") from error

    def _results(self, lane: Lane, answer: Message, number: int, outputs: tuple[str, ...]) -> Tensors:
        if answer["number"] != number:
            raise ValueError(f"the answer to {answer['number']}, not to {number}")
        self._noise.bound()
        if "failed" in answer:
            raise InferenceError(f"{self._name}: inference failed: {answer['failed']}")
        views = lane.views(answer["tensors"])
        return {name: views[name].copy() for name in outputs}

    def _lost(self, how: str) -> WorkerLost:
        last = self._noise.last_line()
        self.kill()
        return WorkerLost(f"{self._name}: the engine worker {how}" + (f"; its last words: {last}" if last else ""))

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "closed its lane"
        if code >= 0:
            return f"ended with exit status {code}"
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
