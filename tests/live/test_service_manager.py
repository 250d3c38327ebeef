"""What a service manager hears of a whole life, from the real program on a real socket."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live.agent_process import AgentProcess
from live.sites import write_clip, write_site

HEAR_S = 30.0
WATCHDOG_S = 4.0


class Manager:
    """The service manager's end of the socket: every message with the moment it came."""

    def __init__(self, path: Path) -> None:
        self.heard: list[tuple[float, dict[str, str]]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def await_message(self, key: str) -> dict[str, str]:
        """The next message with this field; those before it are kept in `heard`, as it is."""
        deadline = time.monotonic() + HEAR_S
        while (left_s := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            lines = self._socket.recv(65536).decode().splitlines()
            self.heard.append((time.monotonic(), dict(line.split("=", 1) for line in lines)))
            if key in self.heard[-1][1]:
                return self.heard[-1][1]
        raise AssertionError(f"no {key} within {HEAR_S:g} s")

    def hang_up(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A manager with a watchdog; the program learns of it as systemd tells it."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1e6)))
    listening = Manager(tmp_path / "notify")
    yield listening
    listening.hang_up()


def test_a_life_as_the_manager_hears_it(tmp_path: Path, manager: Manager) -> None:
    """More time while the engine is made, READY once everything runs, signs of life in time, STOPPING at the end."""
    camera = {"source": str(write_clip(tmp_path / "clip.mp4")), "playback": "loop"}
    with AgentProcess(write_site(tmp_path, {"gate": camera}, sink="jsonl"), tmp_path) as agent:
        ready = manager.await_message("READY")
        assert ready["READY"] == "1"
        assert "cameras online" in ready["STATUS"]
        before = [message for _, message in manager.heard[:-1]]
        asked_s = [int(message["EXTEND_TIMEOUT_USEC"]) / 1e6 for message in before if "EXTEND_TIMEOUT_USEC" in message]
        assert asked_s
        assert min(asked_s) >= 300
        assert any("making the model ready" in message.get("STATUS", "") for message in before)
        assert not [message for message in before if "WATCHDOG" in message]

        for _ in range(5):
            manager.await_message("WATCHDOG")
        alive_s = [at_s for at_s, message in manager.heard if "WATCHDOG" in message]
        assert max(b - a for a, b in itertools.pairwise(alive_s)) < WATCHDOG_S
        assert "1 of 1 cameras online" in manager.await_message("STATUS")["STATUS"]

        assert agent.stop() == 0
        assert manager.await_message("STOPPING")["STATUS"].startswith("stopping")


def test_a_stop_while_the_engine_is_made_is_no_failure(tmp_path: Path, manager: Manager) -> None:
    """A manager that stops a unit on its way gets a clean end, and is never told READY."""
    camera = {"source": str(write_clip(tmp_path / "clip.mp4")), "playback": "loop"}
    agent = AgentProcess(write_site(tmp_path, {"gate": camera}, sink="jsonl"), tmp_path)
    agent.spawn()
    manager.await_message("EXTEND_TIMEOUT_USEC")

    assert agent.stop() == 0
    assert not [message for _, message in manager.heard if "READY" in message]
