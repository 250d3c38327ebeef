"""Who gets which pictures when: a batch waits only where that brings something."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from models.detecting import make_frame

from agent.pipeline.channel import ChannelClosed
from agent.serve.asked import Asked
from agent.serve.batch_queue import BatchQueue, Lane
from agent.serve.job import Job
from agent.serve.refusal import Code, RefusedRequestError

DEADLINE_S = 10.0
LONG_S = 30.0
"""Longer than any test lasts: who waits for it fails by its deadline."""
FRAME = make_frame(np.zeros((4, 4, 3), np.uint8))


def job() -> Job:
    """A picture."""
    return Job(FRAME, Asked(0.5, 0.5, 10))


class Takers:
    """A thread a lane that takes, notes what it got, and says when it is idle again only when it is let."""

    def __init__(self, queue: BatchQueue, lanes: Sequence[Lane]) -> None:
        self.got: list[tuple[str, int]] = []
        self._queue = queue
        self._turns = {lane.name: threading.Semaphore(0) for lane in lanes}
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, args=(lane,)) for lane in lanes]
        for thread in self._threads:
            thread.start()

    def let(self, *names: str) -> None:
        """Let these take once each."""
        for name in names:
            self._turns[name].release()

    def wait_for(self, count: int) -> list[tuple[str, int]]:
        """The first so many takings: by whom, how many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, DEADLINE_S), self.got
        return self.got

    def end(self) -> None:
        """Let all go."""
        self._queue.close()
        for turn in self._turns.values():
            turn.release(100)
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def _run(self, lane: Lane) -> None:
        while self._turns[lane.name].acquire():
            try:
                taken = self._queue.take(lane)
            except ChannelClosed:
                return
            with self._changed:
                self.got.append((lane.name, len(taken)))
                self._changed.notify_all()


@pytest.fixture
def lane() -> Lane:
    return Lane("a", "cpu 0")


def until_idle(lanes: Sequence[Lane]) -> None:
    """Until all of them wait."""
    until_s = time.monotonic() + DEADLINE_S
    while not all(each.is_idle for each in lanes):
        assert time.monotonic() < until_s
        time.sleep(0.001)


def test_who_is_alone_never_waits(lane: Lane) -> None:
    """One request after the other: each is taken at once, however long a batch may be waited for."""
    queue = BatchQueue([lane], 8, LONG_S)
    for _ in range(20):
        queue.put(job())
        assert len(queue.take(lane)) == 1
        queue.finish(lane)


def test_what_waits_while_a_session_works_goes_together(lane: Lane) -> None:
    """As many as a batch takes; the rest next."""
    queue = BatchQueue([lane], 4, 0.0)
    for _ in range(6):
        queue.put(job())

    assert [len(queue.take(lane)), len(queue.take(lane))] == [4, 2]


def test_company_is_waited_for(lane: Lane) -> None:
    """Where four were here at once, the first that comes back waits for the other three."""
    queue = BatchQueue([lane], 8, LONG_S)
    for _ in range(4):
        queue.put(job())
    assert len(queue.take(lane)) == 4
    queue.finish(lane)
    takers = Takers(queue, [lane])
    takers.let("a")
    until_idle([lane])
    for _ in range(4):
        queue.put(job())
        time.sleep(0.005)

    assert takers.wait_for(1) == [("a", 4)]
    takers.end()


def test_company_that_stays_away_is_forgotten(lane: Lane) -> None:
    """Waiting costs no more than it may each time, and soon nothing."""
    queue = BatchQueue([lane], 8, 0.02)
    for _ in range(8):
        queue.put(job())
    queue.take(lane)
    queue.finish(lane)
    waits_s = []
    for _ in range(6):
        queue.put(job())
        began_s = time.monotonic()
        assert len(queue.take(lane)) == 1
        waits_s.append(time.monotonic() - began_s)
        queue.finish(lane)

    assert waits_s[0] >= 0.019
    assert waits_s[-1] < 0.019


def test_the_least_loaded_device_comes_first() -> None:
    """Of idle sessions the one whose device has least to do takes; of equals, the one that did least."""
    lanes = [Lane("a1", "gpu 0"), Lane("b1", "gpu 1"), Lane("a2", "gpu 0"), Lane("b2", "gpu 1")]
    queue = BatchQueue(lanes, 1, 0.0)
    takers = Takers(queue, lanes)
    takers.let("a1", "a2", "b1", "b2")
    until_idle(lanes)
    for number in range(4):
        queue.put(job())
        takers.wait_for(number + 1)

    assert [name[0] for name, _ in takers.got] == ["a", "b", "a", "b"]
    takers.end()


def test_idle_sessions_share_what_waits() -> None:
    """Two idle sessions take half each, rather than one taking all."""
    lanes = [Lane("a", "gpu 0"), Lane("b", "gpu 1")]
    queue = BatchQueue(lanes, 8, LONG_S)
    for _ in range(6):
        queue.put(job())
    lanes[1].is_idle = True

    assert len(queue.take(lanes[0])) == 3


def test_who_has_gone_is_not_searched(lane: Lane) -> None:
    """A request that passed its deadline costs no inference."""
    queue = BatchQueue([lane], 8, 0.0)
    gone, there = job(), job()
    gone.future.cancel()
    queue.put(gone)
    queue.put(there)

    assert [each for each, _ in queue.take(lane)] == [there]


def test_a_lost_engine_refuses_everything(lane: Lane) -> None:
    """What is being searched, what waits, and what comes."""
    queue = BatchQueue([lane], 1, 0.0)
    running, waiting = job(), job()
    queue.put(running)
    queue.take(lane)
    queue.put(waiting)
    queue.lose("it hangs")

    for each in (running, waiting):
        with pytest.raises(RefusedRequestError, match="it hangs"):
            each.future.result(0)
    with pytest.raises(RefusedRequestError) as refused:
        queue.put(job())
    assert refused.value.code is Code.ENGINE_LOST
    with pytest.raises(ChannelClosed):
        queue.take(lane)


def test_closing_lets_what_waits_be_taken(lane: Lane) -> None:
    """The end of a drain loses nothing."""
    queue = BatchQueue([lane], 1, LONG_S)
    queue.put(job())
    queue.put(job())
    queue.close()

    assert [len(queue.take(lane)), len(queue.take(lane))] == [1, 1]
    with pytest.raises(ChannelClosed):
        queue.take(lane)
