"""Ids: unique, and in the order they were made."""

from __future__ import annotations

import random
import threading
from uuid import UUID

from fakes.clock import FakeClock

from agent.events.event_ids import EventIds


def test_an_id_is_a_version_7_uuid_of_its_time() -> None:
    """Version, variant and the 48 bits of milliseconds are where RFC 9562 puts them."""
    clock = FakeClock()
    made = UUID(EventIds(clock, random.Random(1)).next_id())

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(clock.now().timestamp() * 1000)


def test_ids_rise_within_a_millisecond() -> None:
    """Ten thousand ids of one moment sort as they were made."""
    ids = EventIds(FakeClock(), random.Random(2))

    made = [ids.next_id() for _ in range(10_000)]

    assert made == sorted(set(made))


def test_ids_rise_when_the_clock_is_set_back() -> None:
    """An id made after the clock was set back still sorts last."""
    clock = FakeClock()
    ids = EventIds(clock, random.Random(3))
    first = ids.next_id()
    clock.jump(-3600.0)

    assert ids.next_id() > first


def test_two_machines_make_different_ids() -> None:
    """At the same moment only chance tells two machines apart, and it does."""
    one, other = EventIds(FakeClock(), random.Random(4)), EventIds(FakeClock(), random.Random(5))

    assert {one.next_id() for _ in range(100)}.isdisjoint({other.next_id() for _ in range(100)})


def test_threads_never_get_the_same_id() -> None:
    """Four threads at once make four thousand different ids."""
    ids = EventIds(FakeClock(), random.Random(6))
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(ids.next_id() for _ in range(1000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 4000
