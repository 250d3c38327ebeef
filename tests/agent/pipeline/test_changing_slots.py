"""Slots that come and go while workers wait in front of them."""

from __future__ import annotations

import threading

import pytest
from fakes.clock import FakeClock

from agent.pipeline.channel import ChannelClosed, WhenFull
from agent.pipeline.reorder import Reorder, TicketLostError
from agent.pipeline.slots import Slots, Taken

LIVE = WhenFull.DROP_OLDEST
DEADLINE_S = 5.0


def _slots(*keys: str) -> Slots[int]:
    return Slots(dict.fromkeys(keys, LIVE), FakeClock())


def test_a_new_slot_is_served_like_the_others() -> None:
    """It begins with ticket 0."""
    slots = _slots("gate")
    slots.add("door", LIVE)
    slots.put("door", 1)

    assert slots.take() == [Taken("door", 0, 1)]


def test_a_slot_that_goes_leaves_one_ticket_behind_all_that_were_taken() -> None:
    """What waits in it goes with it; under the same name tickets go on, so nobody mistakes one for another."""
    slots = _slots("gate", "yard")
    for item in (1, 2):
        slots.put("gate", item)
        slots.take()
    slots.put("gate", 3)
    last = slots.retire("gate")
    slots.add("gate", LIVE)
    slots.put("gate", 4)

    assert last == 2
    assert slots.take(9) == [Taken("gate", 3, 4)]


def test_the_only_slot_can_be_renewed_under_a_waiting_worker() -> None:
    """The worker does not take it for the end, and gets what comes first into the new one."""
    slots = _slots("gate")
    taken: list[Taken[int]] = []
    worker = threading.Thread(target=lambda: taken.extend(slots.take()))
    worker.start()
    assert slots.renew("gate", LIVE) == 0
    slots.put("gate", 7)
    worker.join(DEADLINE_S)

    assert taken == [Taken("gate", 1, 7)]


def test_a_closed_slot_can_be_opened_again() -> None:
    """Its camera starts anew."""
    slots = _slots("gate")
    slots.close("gate")
    slots.add("gate", LIVE)

    assert slots.put("gate", 1) is None
    assert slots.take() == [Taken("gate", 0, 1)]


def test_a_worker_that_is_dismissed_leaves_and_takes_nothing_with_it() -> None:
    """Waiting it ends within a slice; what comes later is another's."""
    slots = _slots("gate")
    over = threading.Event()
    worker = threading.Thread(target=lambda: list(slots.batches(is_over=over.is_set)))
    worker.start()
    over.set()
    worker.join(DEADLINE_S)
    slots.put("gate", 1)

    assert not worker.is_alive()
    assert list(slots.batches(is_over=lambda: True)) == []
    with pytest.raises(ChannelClosed):
        _slots("yard").take(is_over=lambda: True)
    assert slots.take() == [Taken("gate", 0, 1)]


def test_more_workers_may_be_further_ahead() -> None:
    """The limit only rises: what the workers of before took is still on its way."""
    order: Reorder[int] = Reorder(1)
    order.allow(3)
    order.allow(2)

    assert [order.put("gate", ticket, ticket) for ticket in (1, 2, 3)] == [[], [], []]
    with pytest.raises(TicketLostError):
        order.put("gate", 4, 4)


def test_a_slot_is_drained_when_its_last_item_was_taken() -> None:
    """However long that takes; who asks may have other things to do before."""
    slots = _slots("gate")
    slots.put("gate", 1)
    beats: list[bool] = []
    assert not slots.drain("gate", lambda: beats.append(True), is_over=lambda: bool(beats))

    taken: list[list[Taken[int]]] = []
    worker = threading.Thread(target=lambda: taken.append(slots.take()))
    worker.start()
    assert slots.drain("gate")
    worker.join(DEADLINE_S)

    assert slots.depth == 0
    assert taken == [[Taken("gate", 0, 1)]]
