"""Watchdog pings: often enough while loops turn, none while one does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock

from agent.service.notify import Notifier
from agent.service.watchdog import Watchdog


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's end of the socket, never waiting."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0)
        yield listening


def _pings(manager: socket.socket) -> int:
    count = 0
    while True:
        try:
            assert manager.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            return count
        count += 1


def _notifier(manager: socket.socket, microseconds: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": microseconds}, pid=1)


def test_pings_come_more_than_twice_an_interval_and_not_every_turn(manager: socket.socket) -> None:
    """Half-second turns over two intervals of 10 s."""
    clock = FakeClock()
    watchdog = Watchdog(_notifier(manager, "10000000"), tuple, clock)
    for _ in range(40):
        watchdog.turn()
        clock.advance(0.5)

    assert _pings(manager) == 8


def test_a_stalled_loop_silences_the_pings_until_it_turns_again(manager: socket.socket) -> None:
    """The manager restarts what hangs, and does not restart what recovered in time."""
    clock = FakeClock()
    stalled = ["detect"]
    watchdog = Watchdog(_notifier(manager, "10000000"), lambda: stalled, clock)
    watchdog.turn()
    assert _pings(manager) == 0
    stalled.clear()
    watchdog.turn()
    assert _pings(manager) == 1


def test_no_watchdog_no_pings(manager: socket.socket) -> None:
    """A manager that did not ask hears nothing."""
    Watchdog(_notifier(manager, "0"), tuple, FakeClock()).turn()

    assert _pings(manager) == 0
