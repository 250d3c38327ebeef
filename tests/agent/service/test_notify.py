"""The service manager's protocol against a real socket."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service.notify import Notifier

PID = 42


class Manager:
    """A service manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(5.0)

    def heard(self) -> dict[str, str]:
        """The fields of the next message."""
        lines = self._socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the manager listens."""
    return str(tmp_path / "notify")


@pytest.fixture
def manager(path: str) -> Iterator[Manager]:
    """A manager that listens."""
    made = Manager(path)
    yield made
    made.close()


def _notifier(path: str, **environ: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": path, **environ}, PID)


def test_the_life_of_a_service_is_told(manager: Manager, path: str) -> None:
    """Each message has the fields that sd_notify(3) names."""
    notifier = _notifier(path)
    notifier.extend_timeout(90.5)
    notifier.status("building the engine,\n12 %")
    notifier.ready("2 cameras")
    notifier.watchdog()
    notifier.stopping("asked to stop")

    assert manager.heard() == {"EXTEND_TIMEOUT_USEC": "90500000"}
    assert manager.heard() == {"STATUS": "building the engine, 12 %"}
    assert manager.heard() == {"READY": "1", "STATUS": "2 cameras"}
    assert manager.heard() == {"WATCHDOG": "1"}
    assert manager.heard() == {"STOPPING": "1", "STATUS": "asked to stop"}


@pytest.mark.skipif(sys.platform != "linux", reason="abstract socket names are Linux's")
def test_abstract_names_work() -> None:
    """A leading @ is the abstract name space."""
    name = f"sitewatch-test-{os.getpid()}"
    manager = Manager("\0" + name)
    _notifier("@" + name).watchdog()

    assert manager.heard() == {"WATCHDOG": "1"}
    manager.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    """The same code runs in a terminal."""
    notifier = Notifier(environ, PID)
    notifier.ready("here")

    assert not notifier.is_managed
    assert notifier.watchdog_interval_s is None


def test_a_manager_that_is_gone_is_no_failure(path: str) -> None:
    """Nobody listens at the socket's name: nothing is raised."""
    notifier = _notifier(path)
    notifier.watchdog()

    assert notifier.is_managed


def test_a_manager_that_does_not_read_does_not_block_us(manager: Manager, path: str) -> None:
    """A full socket costs messages, not time; what it took still arrives."""
    notifier = _notifier(path)
    for _ in range(2000):
        notifier.watchdog()

    assert manager.heard() == {"WATCHDOG": "1"}


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_interval_is_read_from_the_environment(environ: dict[str, str], interval_s: float | None) -> None:
    """Only a watchdog meant for this process counts."""
    assert Notifier(environ, PID).watchdog_interval_s == interval_s


def test_a_reload_is_told_with_the_time_it_began(manager: Manager, path: str) -> None:
    """The manager takes it for the answer to its own signal only if the time is later than that."""
    notifier = _notifier(path)
    notifier.reloading("reading", 12.5)
    notifier.ready("done")

    assert manager.heard() == {"RELOADING": "1", "MONOTONIC_USEC": "12500000", "STATUS": "reading"}
    assert manager.heard() == {"READY": "1", "STATUS": "done"}
