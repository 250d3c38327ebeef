"""One thread that makes, uses and frees every CUDA object of an engine; other threads hand it work.

CUDA's current context belongs to a thread, and pycuda does not free an object of another thread's context. Engines on
one device share its primary context, each with a thread of its own: DLA cores and GPU work side by side.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaError, CudaFacts, Mark

T = TypeVar("T")
_LOOK_EVERY_S = 0.0002


@dataclass(frozen=True, eq=False)
class _Task:
    """Something to do on the thread; `is_queued` where it answers with a mark that is to be waited for."""

    job: Callable[[], Any]
    future: Future[Any]
    is_queued: bool = False


class CudaThread:
    """The thread. `start` first, `stop` last; any thread may call everything between."""

    def __init__(self, driver: CudaDriver, name: str) -> None:
        self.driver = driver
        self.sessions = 0  # written on the thread only
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._in_flight: list[tuple[Mark, Future[Any]]] = []
        # A daemon, so that an engine nobody closed does not hold up the interpreter's end; see `engine`'s finaliser.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._opened: Future[CudaFacts] = Future()
        self._closing = threading.Lock()
        self._is_stopped = False

    def start(self) -> CudaFacts:
        """Start the thread and CUDA on it.

        Raises:
            EngineUnavailable: pycuda cannot be imported.
            CudaError: CUDA does not start on this device.
        """
        self._thread.start()
        return self._opened.result()

    def call(self, job: Callable[[], T]) -> T:
        """Do something on the thread and give its answer; what it raises is raised here.

        Raises:
            CudaError: the thread has stopped.
        """
        if threading.current_thread() is self._thread:
            return job()
        return self._submit(job, is_queued=False).result()  # type: ignore[no-any-return]  # it is the job's answer

    def run(self, job: Callable[[], Mark]) -> None:
        """Queue work on the device and wait until its mark is reached; other callers' work is queued meanwhile.

        Raises:
            CudaError: the work failed, or the thread has stopped.
        """
        self._submit(job, is_queued=True).result()

    def stop(self) -> None:
        """Finish what was handed over, let go of CUDA, end the thread; may be called twice and on the thread itself."""
        with self._closing:
            if not self._is_stopped:
                self._is_stopped = True
                self._tasks.put(None)
        if threading.current_thread() is not self._thread and self._thread.ident is not None:
            self._thread.join()

    def _submit(self, job: Callable[[], Any], *, is_queued: bool) -> Future[Any]:
        task = _Task(job, Future(), is_queued)
        with self._closing:
            if self._is_stopped:
                raise CudaError("the CUDA thread of this engine has stopped")
            self._tasks.put(task)
        return task.future

    def _run(self) -> None:
        try:
            facts = self.driver.open()
        except BaseException as error:  # noqa: BLE001 - whatever it is, who started the thread gets it
            self._opened.set_exception(_bare(error))
            return
        self._opened.set_result(facts)
        while (task := self._next()) is not None:
            self._do(task)
            del task  # until the next one comes, nothing of it stays alive
        while self._in_flight:
            self._settle_first()
        self.driver.close()

    def _next(self) -> _Task | None:
        """The next task; marks that are reached are settled while there is none."""
        while self._in_flight:
            with contextlib.suppress(Empty):
                return self._tasks.get(timeout=_LOOK_EVERY_S) if self.sessions > 1 else self._tasks.get_nowait()
            self._settle()
        return self._tasks.get()

    def _settle(self) -> None:
        """With one session nobody else can hand over work, so the thread sleeps until the mark is reached."""
        if self.sessions > 1:
            self._in_flight = [each for each in self._in_flight if not _is_settled(*each)]
        else:
            self._settle_first()

    def _settle_first(self) -> None:
        mark, future = self._in_flight.pop(0)
        try:
            mark.wait()
        except CudaError as error:
            future.set_exception(_bare(error))
        else:
            future.set_result(None)

    def _do(self, task: _Task) -> None:
        try:
            answer = task.job()
        except BaseException as error:  # noqa: BLE001 - whatever it is, who asked gets it
            task.future.set_exception(_bare(error))
            return
        if task.is_queued:
            self._in_flight.append((answer, task.future))
        else:
            task.future.set_result(answer)


def _is_settled(mark: Mark, future: Future[Any]) -> bool:
    try:
        if not mark.is_done():
            return False
    except CudaError as error:
        future.set_exception(_bare(error))
    else:
        future.set_result(None)
    return True


def _bare(error: BaseException) -> BaseException:
    """Without tracebacks: their frames hold CUDA objects, which another thread would free with the exception."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
