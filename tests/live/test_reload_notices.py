"""What the service manager hears of a reload, from the real program on a real socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
import yaml
from live.agent_process import AgentProcess
from live.sites import write_clip, write_site

HEAR_S = 30.0


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def await_message(self, key: str) -> dict[str, str]:
        """The next message with this field."""
        deadline = time.monotonic() + HEAR_S
        while (left_s := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            message = dict(line.split("=", 1) for line in self._socket.recv(65536).decode().splitlines())
            if key in message:
                return message
        raise AssertionError(f"no {key} within {HEAR_S:g} s")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def test_each_reload_begins_and_ends_for_the_service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RELOADING with a time after the signal, then READY with what became of it, good or not."""
    camera = {"source": str(write_clip(tmp_path / "clip.mp4")), "playback": "loop"}
    file = write_site(tmp_path, {"gate": camera}, sink="jsonl")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    manager, good = Manager(tmp_path / "notify"), yaml.safe_load(file.read_text())
    with AgentProcess(file, tmp_path) as agent:
        manager.await_message("READY")
        for changed, told in (({"site": 3}, "refused: 1 mistake"), ({"outbox": {"max_age": "1h"}}, "applied")):
            file.write_text(yaml.safe_dump({**good, **changed}))
            asked_s = time.monotonic()
            agent.hang_up()
            began = manager.await_message("RELOADING")
            assert asked_s < int(began["MONOTONIC_USEC"]) / 1e6 < time.monotonic()
            assert f"reload: {told}" in manager.await_message("READY")["STATUS"]
        agent.hang_up()
        manager.await_message("RELOADING")
        manager.await_message("READY")
        assert agent.stop() == 0
    manager.close()
