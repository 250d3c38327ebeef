"""Keeps one worker running for an engine and its sessions: another after a loss, none after the last of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from devices.engines.engine import Tensors
from devices.engines.worker.worker_order import WorkerLimits, WorkerLost
from devices.engines.worker.worker_process import WorkerProcess
from devices.errors import DevicesError, InferenceError


class WorkerKeeper:
    """One worker at a time. Every thread may infer; a loss fails the calls under way, and the next call restarts.

    Args:
        worker: running, its model loaded.
        start: gives another such worker, or raises a `DevicesError`.
        limits: how often and how long.
        told: called with a sentence after every restart, on the thread that infers.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        start: Callable[[], WorkerProcess],
        limits: WorkerLimits,
        told: Callable[[str], None],
    ) -> None:
        self._worker: WorkerProcess | None = worker
        self._start = start
        self._limits = limits
        self._told = told
        self._restarting = threading.RLock()
        self._counting = threading.RLock()
        self._holders = 0
        self._losses = 0
        self._why = ""
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Of the worker, or None between two of them."""
        worker = self._worker
        return worker.pid if worker else None

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]], outputs: tuple[str, ...]) -> Tensors:
        """Run once.

        Raises:
            InferenceError: this inference failed; after too many losses in a row every further one does.
        """
        worker = self._running()
        try:
            answer = worker.infer(tensors, outputs, self._limits.infer_s)
        except WorkerLost as loss:
            self._note_loss(worker, loss)
            raise
        self._losses = 0
        return answer

    def hold(self) -> None:
        """Count one more that needs the worker."""
        with self._counting:
            self._holders += 1

    def let_go(self) -> None:
        """Count one less; the last one ends the worker."""
        with self._counting:
            self._holders -= 1
            if self._holders > 0:
                return
        with self._restarting:
            if self._worker is not None:
                self._worker.end(self._limits.close_s)
            self._worker = None
            self._losses = self._limits.losses_in_a_row
            self._why = self._why or "the engine is closed"

    def _running(self) -> WorkerProcess:
        with self._restarting:
            if self._worker is None:
                self._worker = self._restarted()
            return self._worker

    def _restarted(self) -> WorkerProcess:
        if self._losses >= self._limits.losses_in_a_row:
            raise InferenceError(f"no engine worker is started any more, after {self._losses} losses: {self._why}")
        pauses = self._limits.pauses_s
        threading.Event().wait(pauses[min(self._losses, len(pauses)) - 1])
        try:
            worker = self._start()
        except DevicesError as error:
            self._losses += 1
            self._why = str(error)
            raise InferenceError(f"the engine worker cannot be started again: {error}") from error
        self.restarts += 1
        self._told(f"{self._why}; started again, {self.restarts} times by now")
        return worker

    def _note_loss(self, worker: WorkerProcess, loss: WorkerLost) -> None:
        """Several calls may see the same worker go; it is one loss."""
        with self._restarting:
            if self._worker is worker:
                self._worker = None
                self._losses += 1
                self._why = str(loss)
