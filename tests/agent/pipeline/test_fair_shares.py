"""Slots under saturation: what share each camera has of workers that are too slow for all of them."""

from __future__ import annotations

import random

import pytest
from fakes.clock import FakeClock

from agent.pipeline.channel import WhenFull
from agent.pipeline.slots import Slots

SECONDS = 60.0


def shares(
    rates: dict[str, float], capacity: float, *, max_age_s: float = 2.0, phase_s: float = 0.0
) -> dict[str, float]:
    """Frames a second that each camera has detected, with one worker that manages `capacity` of them a second."""
    clock = FakeClock()
    slots: Slots[float] = Slots(dict.fromkeys(rates, WhenFull.DROP_OLDEST), clock)
    served, now_s = dict.fromkeys(rates, 0), 0.0
    comes_s = {name: phase_s * place / rate for place, (name, rate) in enumerate(rates.items())}
    while now_s < SECONDS:
        for name, rate in rates.items():
            while comes_s[name] <= now_s:
                slots.put(name, now_s, clock.monotonic_s() + comes_s[name] - now_s, max_age_s=max_age_s)
                comes_s[name] += 1.0 / rate
        step_s = 1.0 / capacity if slots.depth else min(comes_s.values()) - now_s
        for taken in slots.take() if slots.depth else []:
            served[taken.key] += 1
        clock.advance(step_s)
        now_s += step_s
    return {name: count / SECONDS for name, count in served.items()}


def even_shares(rates: dict[str, float], capacity: float) -> dict[str, float]:
    """What is promised: each what it asks for, up to a share that is even for all who ask for more."""
    promised, left, asking = {}, capacity, sorted(rates, key=rates.__getitem__)
    for place, name in enumerate(asking):
        promised[name] = min(rates[name], left / (len(asking) - place))
        left -= promised[name]
    return promised


@pytest.mark.parametrize(
    ("capacity", "slow", "fast"), [(100.0, 5.0, 60.0), (20.0, 5.0, 15.0), (8.0, 4.0, 4.0), (2.0, 1.0, 1.0)]
)
def test_a_slow_camera_beside_a_fast_one(capacity: float, slow: float, fast: float) -> None:
    """5 frames a second beside 60: the slow one loses none until its even share is less, then both have the same."""
    found = shares({"slow": 5.0, "fast": 60.0}, capacity)

    assert found["slow"] == pytest.approx(slow, rel=0.1)
    assert found["fast"] == pytest.approx(fast, rel=0.1)


@pytest.mark.parametrize("seed", range(12))
def test_everybody_has_the_share_that_is_promised(seed: int) -> None:
    """Random rates, phases and capacities: nobody has less than nine tenths of an even share."""
    numbers = random.Random(seed)
    rates = {f"camera{place}": numbers.uniform(0.5, 60.0) for place in range(numbers.randint(2, 8))}
    capacity = numbers.uniform(0.2, 1.2) * sum(rates.values())
    found = shares(rates, capacity, phase_s=numbers.random())

    short = {name: found[name] / share for name, share in even_shares(rates, capacity).items()}
    assert min(short.values()) > 0.9, (rates, capacity, found)


def test_a_camera_that_sends_seldom_is_not_starved_by_its_age_limit() -> None:
    """When a round takes longer than a frame may age, the fast ones replace theirs in time; a slow one comes first."""
    rates = {"seldom": 0.1, **{f"fast{place}": 20.0 for place in range(6)}}
    found = shares(rates, 2.0, max_age_s=1.0)

    assert found["seldom"] > 0.04
    assert min(found.values()) > 0.04
