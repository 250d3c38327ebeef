"""Channel: bounded, counted, and its end is clean whoever waits."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from agent.pipeline.channel import Channel, ChannelClosed, WhenFull

DEADLINE_S = 5.0


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_items_come_out_in_the_order_they_went_in() -> None:
    """First in, first out."""
    channel: Channel[int] = Channel(3, WhenFull.BLOCK)
    for item in (1, 2, 3):
        assert channel.put(item) is None

    channel.close()

    assert list(channel) == [1, 2, 3]


def test_a_full_channel_drops_its_oldest_and_says_which() -> None:
    """DROP_OLDEST returns what it dropped and counts it."""
    channel: Channel[str] = Channel(2, WhenFull.DROP_OLDEST)

    dropped = [channel.put(item) for item in ("a", "b", "c", "d")]

    assert dropped == [None, None, "a", "b"]
    assert (channel.drops, channel.depth) == (2, 2)


def test_a_blocked_producer_goes_on_when_there_is_room_and_beats_meanwhile() -> None:
    """BLOCK waits for room; the heartbeat of the waiting thread keeps beating."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)
    channel.put(1)
    beaten = threading.Event()
    producer = _thread(lambda: channel.put(2, beat=beaten.set))

    assert beaten.wait(DEADLINE_S)
    assert channel.depth == 1
    assert channel.get(DEADLINE_S) == 1
    assert channel.get(DEADLINE_S) == 2
    producer.join(DEADLINE_S)
    assert channel.drops == 0


def test_closing_wakes_a_blocked_producer_and_keeps_what_waits() -> None:
    """A producer that waits for room learns of the end; what was taken over before is still delivered."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)
    channel.put(1)
    waits, refused = threading.Event(), threading.Event()

    def produce() -> None:
        with pytest.raises(ChannelClosed):
            channel.put(2, beat=waits.set)
        refused.set()

    producer = _thread(produce)
    assert waits.wait(DEADLINE_S)
    channel.close()
    producer.join(DEADLINE_S)

    assert refused.is_set()
    assert list(channel) == [1]


def test_closing_wakes_a_waiting_consumer() -> None:
    """A consumer that waits for an item learns of the end."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)
    waits = threading.Event()
    taken: list[int] = []
    consumer = _thread(lambda: taken.extend(channel.items(beat=waits.set)))

    assert waits.wait(DEADLINE_S)
    channel.close()
    consumer.join(DEADLINE_S)

    assert not consumer.is_alive()
    assert taken == []


def test_nothing_goes_into_a_closed_channel() -> None:
    """`put` after `close` is refused, also a second time."""
    channel: Channel[int] = Channel(1, WhenFull.DROP_OLDEST)
    channel.close()
    channel.close()

    with pytest.raises(ChannelClosed):
        channel.put(1)
    with pytest.raises(ChannelClosed):
        channel.get()
    assert channel.is_closed


def test_get_gives_up_in_time() -> None:
    """With a time-out an empty channel answers with TimeoutError."""
    channel: Channel[int] = Channel(1, WhenFull.BLOCK)

    with pytest.raises(TimeoutError):
        channel.get(timeout_s=0.01)


def test_a_channel_without_room_is_refused() -> None:
    """Capacity is one or more."""
    with pytest.raises(ValueError, match="capacity: expected 1 or more, got 0"):
        Channel[int](0, WhenFull.BLOCK)


@pytest.mark.parametrize("when_full", list(WhenFull))
@pytest.mark.parametrize("seed", range(5))
def test_every_item_is_taken_or_dropped_exactly_once(when_full: WhenFull, seed: int) -> None:
    """Put = taken + dropped, whatever the threads do; BLOCK drops nothing; each producer's order holds."""
    numbers = random.Random(seed)
    channel: Channel[tuple[int, int]] = Channel(numbers.randint(1, 4), when_full)
    dropped: list[list[tuple[int, int]]] = [[], [], []]
    taken: list[list[tuple[int, int]]] = [[], []]

    def produce(producer: int) -> None:
        for item in range(200):
            if (lost := channel.put((producer, item))) is not None:
                dropped[producer].append(lost)

    producers = [_thread(partial(produce, number)) for number in range(3)]
    consumers = [_thread(partial(place.extend, channel)) for place in taken]
    for thread in producers:
        thread.join(DEADLINE_S)
    channel.close()
    for thread in consumers:
        thread.join(DEADLINE_S)

    lost = [item for part in dropped for item in part]
    got = [item for part in taken for item in part]
    assert sorted(got + lost) == [(producer, item) for producer in range(3) for item in range(200)]
    assert channel.drops == len(lost) == (0 if when_full is WhenFull.BLOCK else len(lost))
    for part in taken:
        for producer in range(3):
            mine = [item for owner, item in part if owner == producer]
            assert mine == sorted(mine)
