from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress

import pytest

from agent.stream.supply import Closed, DetachedSupply, Ended, StraightSupply, Supply


def numbers(count: int, then: Exception | None = None) -> Generator[int]:
    yield from range(count)
    if then is not None:
        raise then


Make = Callable[..., Supply[int]]


def detached(count: int, then: Exception | None = None, capacity: int = 4) -> DetachedSupply[int]:
    supply = DetachedSupply("reader", lambda: numbers(count, then), capacity=capacity)
    supply.start()
    return supply


@pytest.mark.parametrize("make", [detached, lambda *a: StraightSupply(numbers(*a))])
def test_items_come_in_order_then_the_end(make: Make) -> None:
    """All items, and then `Ended`, as often as asked."""
    supply = make(20)

    assert [supply.take(5) for _ in range(20)] == list(range(20))
    for _ in range(2):
        with pytest.raises(Ended):
            supply.take(5)


@pytest.mark.parametrize("make", [detached, lambda *a: StraightSupply(numbers(*a))])
def test_a_failure_reaches_the_consumer_after_the_items(make: Make) -> None:
    """What was read before the failure is not lost."""
    supply = make(2, OSError("gone"))

    assert [supply.take(5), supply.take(5)] == [0, 1]
    with pytest.raises(OSError, match="gone"):
        supply.take(5)


@pytest.mark.parametrize("then", [None, OSError("gone")])
@pytest.mark.parametrize("is_taken", [True, False])
def test_nothing_is_held_after_the_end(then: Exception | None, is_taken: bool) -> None:  # noqa: FBT001 - a parameter
    """A supply that ended is freed with its last user, decoder and all, and does not wait for the collector."""
    collects = gc.isenabled()
    gc.disable()
    try:
        supply = detached(1, then)
        gone = weakref.ref(supply)
        assert supply.take(5) == 0
        if is_taken:
            with suppress(Ended, OSError):
                supply.take(5)
        supply.close()
        del supply
        if then is not None:
            then.__traceback__ = None  # the test's own hold on it
        assert gone() is None
    finally:
        if collects:
            gc.enable()


def test_the_reader_is_only_so_far_ahead() -> None:
    """With room for two, the third item waits until one is taken."""
    made: list[int] = []

    def items() -> Generator[int]:
        for number in range(10):
            made.append(number)
            yield number

    supply = DetachedSupply("reader", items, capacity=2)
    supply.start()
    deadline = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)

    assert made == [0, 1, 2]
    supply.close()


def test_nothing_yet_is_told_in_time() -> None:
    """A consumer that gives up waiting gets None, and may ask again."""
    release = threading.Event()

    def items() -> Generator[int]:
        release.wait()
        yield 1

    supply = DetachedSupply("reader", items, capacity=1)
    supply.start()

    assert supply.take(0.05) is None
    release.set()
    assert supply.take(5) == 1
    supply.close()


def test_close_wakes_the_consumer_and_ends_the_thread() -> None:
    """The generator is closed by its own thread, and a consumer learns that it was closed."""
    closed = threading.Event()

    def items() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    supply = DetachedSupply("reader", items, capacity=1)
    supply.start()
    assert supply.take(5) == 1
    supply.close()
    supply.close()

    assert closed.wait(5)
    with pytest.raises(Closed):
        supply.take(5)
