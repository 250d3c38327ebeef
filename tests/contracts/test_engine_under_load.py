"""What engines in this process promise when much happens at once and for long."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU, CPU_ENGINES
from fakes.tiny_onnx import doubled, open_size

from devices.engines.engine import Engine, EngineRequest, Session
from devices.errors import EngineUnavailable, InferenceError

DEADLINE_S = 20.0
GROWTH_BYTES = 2_000_000
Load = Callable[..., Engine]


@pytest.fixture(params=CPU_ENGINES)
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    runtime = CPU_ENGINES[request.param]
    return lambda tiny, **options: runtime.load(EngineRequest(tiny.write(tmp_path), CPU, **options))


class Crowd:
    """Threads, each with a session of its own, that infer until they are told to stop; none may get a wrong answer."""

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._counts = [0] * count
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(count)]
        self.wrong: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator[Crowd]:
        """All of them have answers at the beginning; at the end each closes its session."""
        for thread in self._threads:
            thread.start()
        try:
            self.wait_for_more()
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(DEADLINE_S)

    def wait_for_more(self, answers: int = 20) -> None:
        """Until every one has so many more answers."""
        done = [count + answers for count in self._counts]
        limit = threading.Event()
        timer = threading.Timer(DEADLINE_S, limit.set)
        timer.start()
        while any(count < least for count, least in zip(self._counts, done, strict=True)) and not limit.wait(0.005):
            assert self.wrong == []
        timer.cancel()
        timer.join()
        assert not limit.is_set()

    def _work(self, number: int) -> None:
        session = self._engine.session()
        tensor = np.full((1, 3, 4, 5), number, np.float32)
        try:
            while not self._stop.is_set():
                if not (session.infer({"x": tensor})["y"] == 2 * number + 1).all():
                    self.wrong.append(f"thread {number} got another's answer")
                self._counts[number] += 1
        except InferenceError as error:
            self.wrong.append(str(error))
        finally:
            session.close()


def test_many_sessions_at_once(load: Load) -> None:
    """More sessions than were announced work side by side, each with its own answers."""
    with Crowd(load(doubled(), sessions=2), 6).at_work() as crowd:
        crowd.wait_for_more(100)

    assert crowd.wrong == []


def test_closing_under_load(load: Load) -> None:
    """An engine closed while its sessions work gives no more of them; those at work go on undisturbed to their end."""
    engine = load(doubled(), sessions=2)
    with Crowd(engine, 3).at_work() as crowd:
        engine.close()
        gc.collect()
        crowd.wait_for_more(100)
        with pytest.raises(EngineUnavailable, match="closed"):
            engine.session()

    assert crowd.wrong == []


WRONG = {
    "rank": np.zeros((3, 4, 5), np.float32),
    "shape": np.zeros((2, 3, 4, 5), np.float32),
    "empty": np.zeros((0, 3, 4, 5), np.float32),
    "float64": np.zeros((1, 3, 4, 5), np.float64),
    "uint8": np.zeros((1, 3, 4, 5), np.uint8),
    "text": np.full((1, 3, 4, 5), "a"),
    "objects": np.full((1, 3, 4, 5), None, object),
}


def test_wrong_tensors_under_load(load: Load) -> None:
    """One session that is given nonsense again and again disturbs no other, and works when it is given sense."""
    engine = load(doubled(), sessions=2)
    session = engine.session()
    with Crowd(engine, 2).at_work() as crowd:
        for tensor in list(WRONG.values()) * 10:
            with pytest.raises(InferenceError, match=r"input x takes float32 \(1, 3, 4, 5\), got "):
                session.infer({"x": tensor})
        assert (session.infer({"x": np.ones((1, 3, 4, 5), np.float32)})["y"] == 3).all()
        crowd.wait_for_more()

    assert crowd.wrong == []
    session.close()


def test_ten_thousand_inferences(load: Load) -> None:
    """Memory stays where it is after the first thousand, whatever the shapes."""
    session = load(open_size()).session()
    tensors = [{"x": np.full((1, 3, side, 8), side, np.float32)} for side in (4, 40, 80)]

    before = _resident_after(session, tensors, 1000)
    after = _resident_after(session, tensors, 9000)
    session.close()

    assert after - before < GROWTH_BYTES


def test_many_engines_after_each_other(load: Load) -> None:
    """Loading and closing leaves neither memory nor threads behind."""

    def cycle(count: int) -> tuple[int, int]:
        for _ in range(count):
            engine = load(doubled(), sessions=2)
            session = engine.session()
            session.infer({"x": np.ones((1, 3, 4, 5), np.float32)})
            session.close()
            engine.close()
        gc.collect()
        return _resident_bytes(), len(list(Path("/proc/self/task").iterdir()))

    (memory, threads), (memory_after, threads_after) = cycle(5), cycle(12)

    assert threads_after <= threads
    assert memory_after - memory < GROWTH_BYTES


def _resident_after(session: Session, tensors: list[dict[str, np.ndarray]], count: int) -> int:
    for turn in range(count):
        session.infer(tensors[turn % len(tensors)])
    gc.collect()
    return _resident_bytes()


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
