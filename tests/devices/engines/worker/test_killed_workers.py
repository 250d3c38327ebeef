"""Workers that are killed, crash or hang while they infer."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import numpy as np
import pytest
from fakes.worker_bench import ask, children, open_descriptors, open_moody, shared_memory
from fakes.worker_runtimes.moody import CRASH, EXIT, FAIL, HANG

from devices.engines.worker.isolated_engine import IsolatedEngine
from devices.engines.worker.worker_order import WorkerLimits, WorkerLost
from devices.errors import InferenceError

KILLS = 30


def infer_until(stop: threading.Event, engine: IsolatedEngine, seed: int, found: list[str]) -> None:
    """Every answer is right, or an `InferenceError`; the kinds of both are noted."""
    session = engine.session()
    values = np.random.default_rng(seed)
    while not stop.is_set():
        x = values.random((64, int(values.integers(1, 3000))), np.float32)
        try:
            answer = session.infer({"x": x})["y"]
        except InferenceError:
            found.append("refused")
        else:
            found.append("right" if np.array_equal(answer, x * 2) else "wrong")
    session.close()


def test_killed_at_random() -> None:
    """Thirty kills under two sessions at work: right answers or our error, no hang, nothing left behind."""
    stop, found, chance = threading.Event(), list[str](), random.Random(5)
    before = open_descriptors(), children(), shared_memory()
    limits = WorkerLimits(infer_s=10, losses_in_a_row=1000, pauses_s=(0.0,))
    with open_moody(limits, lanes=2) as engine:
        workers = [threading.Thread(target=infer_until, args=(stop, engine, seed, found)) for seed in (1, 2)]
        for worker in workers:
            worker.start()
        killed = kill_often(engine, chance)
        stop.set()
        for worker in workers:
            worker.join(30)

    assert not any(worker.is_alive() for worker in workers)
    assert len(killed) == KILLS
    assert set(found) == {"right", "refused"}
    assert engine.restarts >= KILLS - 1
    assert (open_descriptors(), children(), shared_memory()) == before


def kill_often(engine: IsolatedEngine, chance: random.Random) -> set[int]:
    """Kill one worker after another, each a moment after it is there."""
    killed: set[int] = set()
    until_s = time.monotonic() + 60
    while len(killed) < KILLS and time.monotonic() < until_s:
        pid = engine.worker_pid
        if pid is None or pid in killed:
            time.sleep(0.001)
            continue
        time.sleep(chance.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    return killed


def test_a_crash_costs_one_inference() -> None:
    """A segfault is told by its name, the next inference works, and the restart was told and counted."""
    told: list[str] = []
    with open_moody(told=told.append) as engine:
        session = engine.session()
        assert ask(session, 4) == 8

        with pytest.raises(WorkerLost, match="moody: the engine worker was ended by SIGSEGV"):
            ask(session, CRASH)

        assert ask(session, 5) == 10
        assert engine.restarts == 1
        assert len(told) == 1
        assert "SIGSEGV" in told[0]
        assert "started again, 1 times by now" in told[0]


def test_a_failed_inference_costs_no_restart() -> None:
    """What the run-time itself reports is our error in one line; the worker is the same."""
    with open_moody() as engine:
        session, pid = engine.session(), engine.worker_pid

        with pytest.raises(InferenceError, match=r"^moody: inference failed: not in the mood$"):
            ask(session, FAIL)

        assert ask(session, 1) == 2
        assert engine.worker_pid == pid


def test_last_words_are_told() -> None:
    """What a library printed before it ended the process is in the error."""
    with open_moody() as engine, pytest.raises(WorkerLost, match="exit status 3; its last words: terminate called"):
        ask(engine.session(), EXIT)


def test_a_hang_ends_at_the_deadline() -> None:
    """A worker that never answers is ended, and another one answers the next call."""
    with open_moody(WorkerLimits(infer_s=0.3)) as engine:
        session = engine.session()
        began_s = time.monotonic()

        with pytest.raises(WorkerLost, match=r"gave no answer within 0\.3 s"):
            ask(session, HANG)

        assert time.monotonic() - began_s < 5
        assert ask(session, 1) == 2


def test_a_stopped_worker_ends_at_the_deadline() -> None:
    """A process that the system has stopped is ended too."""
    with open_moody(WorkerLimits(infer_s=0.3)) as engine:
        session, pid = engine.session(), engine.worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(WorkerLost, match="no answer"):
            ask(session, 1)

        assert pid not in children()
        assert ask(session, 1) == 2


def test_too_many_losses_in_a_row() -> None:
    """After as many losses without an inference between as are allowed, no other worker is started."""
    with open_moody(WorkerLimits(losses_in_a_row=3, pauses_s=(0.0,))) as engine:
        session = engine.session()
        for _ in range(2):
            with pytest.raises(WorkerLost):
                ask(session, CRASH)
        assert ask(session, 1) == 2
        for _ in range(3):
            with pytest.raises(WorkerLost):
                ask(session, CRASH)

        for _ in range(2):
            with pytest.raises(
                InferenceError, match=r"no engine worker is started any more, after 3 losses: .*SIGSEGV"
            ):
                ask(session, 1)

        assert engine.worker_pid is None
        assert engine.restarts == 4


def test_one_lane_hangs_beside_another() -> None:
    """The worker goes for both: the other session's call fails as ours, or had its answer, and both work on."""
    with open_moody(WorkerLimits(infer_s=0.5), lanes=2) as engine:
        stop, found = threading.Event(), list[str]()
        other = threading.Thread(target=infer_until, args=(stop, engine, 3, found))
        other.start()
        session = engine.session()
        with pytest.raises(WorkerLost):
            ask(session, HANG)
        assert ask(session, 3) == 6
        stop.set()
        other.join(10)

    assert "wrong" not in found
    assert found.count("refused") <= 1


def test_closing_under_load() -> None:
    """Closing engine and session while a call runs ends the call, and the worker with it."""
    before = children()
    with open_moody(WorkerLimits(close_s=0.5)) as engine:
        session = engine.session()
        outcome: list[str] = []

        def hang() -> None:
            with pytest.raises(InferenceError):
                ask(session, HANG)
            outcome.append("ended")

        caller = threading.Thread(target=hang)
        caller.start()
        time.sleep(0.05)
        closing = threading.Thread(target=lambda: (engine.close(), session.close()))
        closing.start()
        closing.join(15)
        caller.join(15)

    assert outcome == ["ended"]
    assert children() == before
