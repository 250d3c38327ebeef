"""The thread that owns CUDA: order, overlap, failures, and its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from fakes.cuda_fake import World
from fakes.nvidia_machine import nvidia_machine

from devices.engines.tensorrt.cuda_driver import CudaError
from devices.engines.tensorrt.cuda_thread import CudaThread
from devices.engines.tensorrt.pycuda_driver import PycudaDriver


class Later:
    """A mark that is reached when a test says so."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.error: CudaError | None = None

    def is_done(self) -> bool:
        if self.error is not None:
            raise self.error
        return self.reached.is_set()

    def wait(self) -> None:
        assert self.reached.wait(10)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with nvidia_machine(monkeypatch, "10.3.0") as machine:
        yield machine.cuda
        machine.assert_clean()


@pytest.fixture
def thread(world: World) -> Iterator[CudaThread]:
    assert world.live == {}
    made = CudaThread(PycudaDriver(0), "cuda of a test")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


def started(workers: ThreadPoolExecutor, thread: CudaThread, mark: Later) -> Future[None]:
    """Work queued on the device, by a worker that waits for it."""
    queued = threading.Event()

    def job() -> Later:
        queued.set()
        return mark

    waiting = workers.submit(thread.run, job)
    assert queued.wait(10)
    return waiting


def set_sessions(thread: CudaThread, count: int) -> None:
    def change() -> None:
        thread.sessions = count

    thread.call(change)


def test_jobs_run_on_the_one_thread(thread: CudaThread) -> None:
    """Whoever asks, the thread works; a job may ask again without waiting for itself."""
    assert thread.call(lambda: threading.current_thread().name) == "cuda of a test"
    assert thread.call(lambda: thread.call(lambda: 7)) == 7


def test_work_of_two_sessions_overlaps(thread: CudaThread, workers: ThreadPoolExecutor) -> None:
    """The second's work is queued while the first's runs, and whichever is ready first is answered first."""
    set_sessions(thread, 2)
    slow, quick = Later(), Later()

    first = started(workers, thread, slow)
    second = started(workers, thread, quick)
    quick.reached.set()

    second.result(10)
    assert not first.done()
    slow.reached.set()
    first.result(10)


def test_a_mark_that_fails(thread: CudaThread, workers: ThreadPoolExecutor) -> None:
    """Only who waits for it gets the error, without the frames of the CUDA thread."""
    set_sessions(thread, 2)
    bad, good = Later(), Later()
    first, second = started(workers, thread, bad), started(workers, thread, good)
    bad.error = CudaError("lost")
    good.reached.set()

    with pytest.raises(CudaError, match="lost"):
        first.result(10)
    second.result(10)


@pytest.mark.parametrize("error", [CudaError("no"), ValueError("no"), KeyboardInterrupt()])
def test_what_a_job_raises(thread: CudaThread, error: BaseException) -> None:
    """It is raised where the job came from, without the frames of the thread, and the thread goes on."""

    def job() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        thread.call(job)

    assert "job" not in {entry.name for entry in caught.traceback}
    assert thread.call(lambda: 1) == 1


def test_the_end(thread: CudaThread, workers: ThreadPoolExecutor) -> None:
    """What was handed over is finished first; stopping twice does nothing; later work is refused."""
    mark = Later()
    waiting = started(workers, thread, mark)
    stopping = workers.submit(thread.stop)
    time.sleep(0)
    mark.reached.set()

    waiting.result(10)
    stopping.result(10)
    thread.stop()
    refused: list[Callable[[], object]] = [lambda: thread.call(lambda: 1), lambda: thread.run(Later)]
    for ask in refused:
        with pytest.raises(CudaError, match="has stopped"):
            ask()


def test_a_device_that_does_not_open(world: World) -> None:
    """The error is raised by `start`, and the thread is gone."""
    world.fail = "open"
    thread = CudaThread(PycudaDriver(0), "cuda of a test")

    with pytest.raises(CudaError, match="device 0: cuDeviceGet failed"):
        thread.start()

    thread.stop()
    assert "cuda of a test" not in {each.name for each in threading.enumerate()}
