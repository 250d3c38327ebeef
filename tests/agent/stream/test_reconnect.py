from __future__ import annotations

import random

import pytest

from agent.stream.reconnect import JITTER, Reconnect


def reconnect_of(seed: int) -> Reconnect:
    return Reconnect(1.0, 30.0, random.Random(seed), healthy_s=30.0)


def test_delays_double_up_to_the_maximum() -> None:
    """From 1 s to 30 s, each within a quarter of its nominal, none over the maximum, for ever."""
    reconnect = reconnect_of(5)

    delays = [reconnect.delay_s(0.0) for _ in range(50)]

    for delay, nominal in zip(delays, [1, 2, 4, 8, 16] + [30] * 45, strict=True):
        assert nominal * (1 - JITTER) <= delay <= min(nominal * (1 + JITTER), 30.0)


def test_a_healthy_period_begins_again() -> None:
    """A camera that delivered for a while is tried soon when it is lost; one that flaps is not."""
    reconnect = reconnect_of(5)
    for _ in range(6):
        reconnect.delay_s(2.0)

    assert reconnect.delay_s(2.0) > 20.0
    assert reconnect.delay_s(31.0) <= 1.25


def test_cameras_do_not_come_back_in_step() -> None:
    """Two cameras with generators of their own wait for different times."""
    one, other = reconnect_of(1), reconnect_of(2)

    assert one.delay_s(0.0) != pytest.approx(other.delay_s(0.0))
