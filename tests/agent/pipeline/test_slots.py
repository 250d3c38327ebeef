"""Slots: the newest of each camera, served fairly, everything accounted for."""

from __future__ import annotations

import random
import threading

import pytest
from fakes.clock import FakeClock

from agent.pipeline.channel import ChannelClosed, WhenFull
from agent.pipeline.slots import Drops, Slots, Taken, Tally

DEADLINE_S = 5.0
LIVE, FILE = WhenFull.DROP_OLDEST, WhenFull.BLOCK


def _slots(**policies: WhenFull) -> Slots[int]:
    return Slots(policies, FakeClock())


def test_a_live_slot_keeps_the_newest_and_says_what_it_replaced() -> None:
    """The older frame comes back to the caller, who counts it."""
    slots = _slots(gate=LIVE)

    replaced = [slots.put("gate", item) for item in (1, 2, 3)]

    assert replaced == [None, 1, 2]
    assert slots.take() == [Taken("gate", 0, 3)]
    assert slots.drops("gate") == Drops(replaced=2, stale=0)


def test_a_file_slot_makes_its_producer_wait() -> None:
    """A file loses nothing: every item is taken, in order, and the waiting thread beats."""
    slots = _slots(clip=FILE)
    beats = threading.Event()

    def produce() -> None:
        for item in range(50):
            slots.put("clip", item, beat=beats.set)
        slots.close("clip")

    producer = threading.Thread(target=produce)
    producer.start()
    assert beats.wait(DEADLINE_S)
    taken = [one for batch in slots.batches() for one in batch]
    producer.join(DEADLINE_S)

    assert taken == [Taken("clip", item, item) for item in range(50)]


def test_of_keys_never_served_the_longest_waiting_comes_first_and_keeps_its_place_when_replaced() -> None:
    """A newer frame takes the place of the one it replaces, not a new place at the end."""
    slots = _slots(a=LIVE, b=LIVE, c=LIVE)
    slots.put("a", 1)
    slots.put("b", 1)
    slots.put("a", 2)
    slots.put("c", 1)

    assert slots.take(3) == [Taken("a", 0, 2), Taken("b", 0, 1), Taken("c", 0, 1)]


@pytest.mark.parametrize("phase", range(0, 30, 3))
def test_a_slow_camera_beside_a_fast_one_loses_no_frame(phase: int) -> None:
    """30 frames a second beside 1, and a worker too slow for both: each slow frame is served with the next turn."""
    slots = _slots(fast=LIVE, slow=LIVE)
    waited: list[int] = []
    for tick in range(600):
        slots.put("fast", tick)
        if tick % 30 == phase:
            slots.put("slow", tick)
        if tick % 4 == 0:
            waited += [tick - one.item for one in slots.take() if one.key == "slow"]

    assert slots.drops("slow") == Drops(0, 0)
    assert len(waited) in {19, 20}
    assert max(waited) <= 4
    assert slots.drops("fast").replaced > 400


def _tickets(taken: list[Taken[int]], key: str) -> list[int]:
    return [one.ticket for one in taken if one.key == key]


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_served_twice_while_another_waits(seed: int) -> None:
    """Of those that wait the one not served for longest, checked against a list model under random arrivals."""
    numbers = random.Random(seed)
    keys = [f"camera{number}" for number in range(numbers.randint(2, 6))]
    slots: Slots[int] = Slots(dict.fromkeys(keys, LIVE), FakeClock())
    for key in keys:
        slots.put(key, -1)
    line, waiting = [one.key for one in slots.take(len(keys))], set[str]()  # in the order of their last turns
    for step in range(500):
        key = numbers.choices(keys, weights=range(1, len(keys) + 1))[0]
        slots.put(key, step)
        waiting.add(key)
        if numbers.random() < 0.3:
            expected = [name for name in line if name in waiting][: numbers.randint(1, 3)]
            assert [one.key for one in slots.take(len(expected))] == expected
            line = [name for name in line if name not in expected] + expected
            waiting -= set(expected)


@pytest.mark.parametrize("seed", range(5))
def test_every_item_is_taken_replaced_stale_or_waiting(seed: int) -> None:
    """Put = taken + replaced + stale + left, per key, with producers and workers racing."""
    numbers = random.Random(seed)
    clock = FakeClock()
    policies = {"live": LIVE, "other": LIVE, "clip": FILE}
    slots: Slots[int] = Slots(policies, clock)
    taken: list[list[Taken[int]]] = [[], []]

    def produce(key: str) -> None:
        for item in range(300):
            slots.put(key, item, at_s=clock.monotonic_s() - (item % 7 == 0), max_age_s=0.5)
        slots.close(key)

    def work(place: list[Taken[int]], size: int) -> None:
        for batch in slots.batches(size, budget_s=0.001):
            place.extend(batch)

    threads = [threading.Thread(target=produce, args=(key,)) for key in policies]
    threads += [threading.Thread(target=work, args=(place, numbers.randint(1, 4))) for place in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    for key in policies:
        tickets = sorted(_tickets(taken[0], key) + _tickets(taken[1], key))
        assert tickets == list(range(len(tickets)))
        assert len(tickets) + sum(slots.drops(key)) == 300
    assert slots.drops("clip") == Drops(0, 0)
    assert slots.depth == 0


def test_an_item_too_old_is_passed_over_and_told() -> None:
    """A live frame beyond its age budget is dropped when its turn comes; a file's never."""
    clock = FakeClock()
    stale: list[tuple[str, int]] = []
    slots: Slots[int] = Slots({"gate": LIVE, "clip": FILE}, clock, on_stale=lambda key, item: stale.append((key, item)))
    slots.put("gate", 1, max_age_s=1.0)
    slots.put("clip", 1, max_age_s=1.0)
    clock.advance(1.5)

    assert slots.take(2) == [Taken("clip", 0, 1)]
    assert stale == [("gate", 1)]
    assert slots.drops("gate") == Drops(replaced=0, stale=1)


def test_a_batch_goes_with_what_is_there_when_the_budget_is_over() -> None:
    """A worker waits for a full batch no longer than its budget."""
    slots = _slots(a=LIVE, b=LIVE)
    slots.put("a", 1)

    assert slots.take(4, budget_s=0.01) == [Taken("a", 0, 1)]


def test_a_batch_does_not_wait_for_a_camera_that_is_in_it() -> None:
    """When every live slot has given its newest item, the batch goes at once; a closed slot gives nothing more."""
    slots = _slots(a=LIVE, b=LIVE, c=FILE)
    slots.close("c")
    slots.put("a", 1)
    slots.put("b", 2)
    waited: list[bool] = []

    assert [each.key for each in slots.take(4, budget_s=DEADLINE_S, beat=lambda: waited.append(True))] == ["a", "b"]
    assert waited == []


def test_a_batch_is_filled_within_its_budget() -> None:
    """What arrives within the budget goes along."""
    slots = _slots(a=LIVE, b=LIVE)
    slots.put("a", 1)
    waits = threading.Event()
    batch: list[Taken[int]] = []
    worker = threading.Thread(target=lambda: batch.extend(slots.take(2, budget_s=DEADLINE_S, beat=waits.set)))
    worker.start()
    assert waits.wait(DEADLINE_S)
    slots.put("b", 1)
    worker.join(DEADLINE_S)

    assert [one.key for one in batch] == ["a", "b"]


def test_the_end_does_not_wait_for_a_full_batch() -> None:
    """When all slots are closed, what is left goes at once, and then comes the end."""
    slots = _slots(a=LIVE)
    slots.put("a", 1)
    slots.close()

    assert slots.take(4, budget_s=60.0) == [Taken("a", 0, 1)]
    with pytest.raises(ChannelClosed):
        slots.take()


def test_closing_wakes_a_waiting_worker_and_a_blocked_producer() -> None:
    """Everybody who waits learns of the end."""
    slots = _slots(clip=FILE, gate=LIVE)
    slots.put("clip", 1)
    waits = threading.Event()
    refused: list[str] = []

    def produce() -> None:
        with pytest.raises(ChannelClosed):
            slots.put("clip", 2, beat=waits.set)
        refused.append("clip")

    producer = threading.Thread(target=produce)
    producer.start()
    assert waits.wait(DEADLINE_S)
    slots.close()
    producer.join(DEADLINE_S)

    assert refused == ["clip"]
    assert list(slots.batches(2)) == [[Taken("clip", 0, 1)]]


def test_one_closed_camera_leaves_the_others_open() -> None:
    """A clip's end is not the end of the site."""
    slots = _slots(clip=LIVE, gate=LIVE)
    slots.close("clip")

    with pytest.raises(ChannelClosed):
        slots.put("clip", 1)
    slots.put("gate", 1)
    assert slots.take(2) == [Taken("gate", 0, 1)]


def test_each_camera_has_an_age_of_its_own() -> None:
    """One camera's frames may be older than another's."""
    clock = FakeClock()
    slots: Slots[int] = Slots({"gate": LIVE, "yard": LIVE, "dock": LIVE}, clock)
    slots.put("gate", 1, max_age_s=1.0)
    slots.put("yard", 1, max_age_s=3.0)
    slots.put("dock", 1)
    clock.advance(2.0)

    assert [one.key for one in slots.take(3)] == ["yard", "dock"]
    assert slots.tallies() == {"gate": Tally(0, 0, 1), "yard": Tally(1, 0, 0), "dock": Tally(1, 0, 0)}


def test_a_camera_whose_frame_was_too_old_comes_next() -> None:
    """Otherwise one that sends seldom would wait for its turn with an old frame each time, and never be served."""
    clock = FakeClock()
    slots: Slots[int] = Slots({"seldom": LIVE, "a": LIVE, "b": LIVE}, clock)
    slots.put("seldom", 1, max_age_s=1.0)
    clock.advance(1.5)
    for key in ("a", "b"):
        slots.put(key, 1)
    assert [one.key for one in slots.take(2)] == ["a", "b"]
    for key in ("b", "a", "seldom"):
        slots.put(key, 2, max_age_s=1.0)

    assert [one.key for one in slots.take(3)] == ["seldom", "a", "b"]


def test_waiting_workers_are_seen_as_idle() -> None:
    """The time that workers wait for frames is counted, so that a saturated site can be told from a calm one."""
    slots = _slots(gate=LIVE)
    waits = threading.Event()
    worker = threading.Thread(target=lambda: slots.take(beat=waits.set))
    worker.start()
    assert waits.wait(DEADLINE_S)
    slots.put("gate", 1)
    worker.join(DEADLINE_S)

    assert 0.0 < slots.idle_s < DEADLINE_S
