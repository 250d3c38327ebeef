"""Reorder: order per camera whatever the workers do."""

from __future__ import annotations

import random

import pytest

from agent.pipeline.reorder import Reorder, TicketLostError


@pytest.mark.parametrize("seed", range(20))
def test_each_key_comes_out_in_ticket_order_without_the_skipped(seed: int) -> None:
    """Any order of arrival, some failed: what comes out rises per key and lacks exactly the failed."""
    numbers = random.Random(seed)
    arrivals = [(key, ticket) for key in ("a", "b") for ticket in range(100)]
    numbers.shuffle(arrivals)
    failed = set(numbers.sample(arrivals, 30))
    reorder: Reorder[tuple[str, int]] = Reorder(limit=100)

    released: list[tuple[str, int]] = []
    for key, ticket in arrivals:
        if (key, ticket) in failed:
            released += reorder.skip(key, ticket)
        else:
            released += reorder.put(key, ticket, (key, ticket))

    for key in ("a", "b"):
        mine = [one for one in released if one[0] == key]
        assert mine == [(key, ticket) for ticket in range(100) if (key, ticket) not in failed]
    assert reorder.depth == 0


def test_a_none_item_is_an_item() -> None:
    """Nothing is mistaken for a skipped ticket."""
    reorder: Reorder[None] = Reorder(limit=1)

    assert reorder.put("a", 0, None) == [None]


def test_one_key_does_not_wait_for_another() -> None:
    """A missing ticket holds up its own camera only."""
    reorder: Reorder[str] = Reorder(limit=2)

    assert reorder.put("a", 1, "a1") == []
    assert reorder.put("b", 0, "b0") == ["b0"]
    assert reorder.depth == 1


def test_a_ticket_that_never_comes_is_told_at_the_limit() -> None:
    """Memory is bounded: too many behind a missing ticket is a bug with a name."""
    reorder: Reorder[int] = Reorder(limit=2)
    reorder.put("gate", 1, 1)
    reorder.put("gate", 2, 2)

    with pytest.raises(TicketLostError, match="gate: ticket 0 never came; 3 wait behind it"):
        reorder.put("gate", 3, 3)


@pytest.mark.parametrize("ticket", [0, 2])
def test_a_ticket_that_comes_twice_is_told(ticket: int) -> None:
    """Released or held, a second arrival is a bug."""
    reorder: Reorder[int] = Reorder(limit=2)
    reorder.put("gate", 0, 0)
    reorder.put("gate", 2, 2)

    with pytest.raises(TicketLostError, match="came twice"):
        reorder.skip("gate", ticket)


def test_what_is_left_at_the_end_comes_out_in_order() -> None:
    """After a worker died the rest is given up in order, without the missing."""
    reorder: Reorder[int] = Reorder(limit=4)
    reorder.put("gate", 3, 3)
    reorder.skip("gate", 2)
    reorder.put("gate", 1, 1)

    assert reorder.rest() == [("gate", 1), ("gate", 3)]
    assert reorder.depth == 0


def test_a_limit_below_one_is_refused() -> None:
    """There is no reorder without room for one."""
    with pytest.raises(ValueError, match="limit: expected 1 or more, got 0"):
        Reorder[int](limit=0)


def test_a_key_that_is_forgotten_begins_anew() -> None:
    """As if it had never been; the others go on."""
    reorder: Reorder[str] = Reorder(2)
    assert reorder.put("gate", 0, "a") == ["a"]
    assert reorder.put("yard", 0, "b") == ["b"]
    reorder.forget("gate")
    reorder.forget("nobody")

    assert reorder.put("gate", 0, "c") == ["c"]
    assert reorder.put("yard", 1, "d") == ["d"]
