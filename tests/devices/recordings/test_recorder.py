"""Writing a machine down, and finding the same in what was written."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.board import BOARD_NAMES, board, recorded

from devices.probe import probe
from devices.probes.root import CommandResult, this_machine
from devices.readings.vitals import read_vitals
from devices.recordings.form import Record, read, write
from devices.recordings.playback import play
from devices.recordings.recorder import Notebook, note_down, record
from devices.recordings.scrub import scrub

HOME = "/" + "home"
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_a_recorded_board_is_found_alike(name: str) -> None:
    """The record of a board, written and read, gives the same inventory and vitals as the board."""
    root = board(name)
    again = play(read(write(record(root, "again"))))
    found = probe(root)

    assert probe(again) == found
    assert read_vitals(again, found.accelerators) == read_vitals(root, found.accelerators)


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_the_list_of_what_may_be_recorded_is_whole(name: str) -> None:
    """Nothing that the probe or the readings look at is left out of a record."""
    notebook = Notebook()
    root = note_down(board(name), notebook)
    read_vitals(root, probe(root).accelerators)

    assert notebook.refused == set()


def test_this_machine_recorded_is_this_machine() -> None:
    """The script's record of the machine that runs the tests gives the inventory that the machine gives."""
    command = [sys.executable, "-m", "devices.recordings", "the machine that runs the tests"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
    written = read(done.stdout)

    assert written.remark == "the machine that runs the tests"
    assert probe(play(written)) == probe(this_machine(sys.executable))


def test_what_is_not_on_the_list_stays_out() -> None:
    """A probe that looked into a password file would not bring it into a record."""
    notebook = Notebook()
    secret = replace(board("bare_linux"), files={"/etc/shadow": "root:x", "/proc/meminfo": "MemTotal: 1 kB\nDirty: 2"})
    root = note_down(secret, notebook)
    root.text("/etc/shadow")
    root.text("/proc/meminfo")
    root.run(("cat", "/etc/shadow"), 1.0)

    assert notebook.files == {"/proc/meminfo": "MemTotal: 1 kB"}
    assert notebook.refused == {"/etc/shadow", "cat /etc/shadow"}


def test_names_and_numbers_are_taken_out() -> None:
    """Serial numbers, UUIDs, addresses, home folders, containers and this machine's own names; the paths agree."""
    container = "ab12" * 16
    whole = Record(
        {"system": "Linux"},
        {},
        {
            "/proc/self/cgroup": f"0::/docker/{container}",
            f"/sys/fs/cgroup/docker/{container}/memory.max": "max",
            "/proc/cpuinfo": "processor : 0\nSerial\t: 10000000deadbeef",
        },
        {
            "nvidia-smi -L": CommandResult(0, "GPU 0: L4 (UUID: GPU-5c2a0b5e-1111-2222-3333-0123456789ab)"),
            "python: openvino": CommandResult(
                1, "", f"{HOME}/anna/venv/lib: on gatehouse-07, 02:42:ac:11:00:02, nvidia"
            ),
        },
        "gatehouse-07",
    )
    text = write(scrub(whole, ("gatehouse-07", "nvidia", "", "an")))

    assert not [word for word in ("deadbeef", container, "5c2a0b5e", "anna", "gatehouse", "02:42") if word in text]
    assert "/sys/fs/cgroup/docker/CONTAINER/memory.max" in text
    assert "0::/docker/CONTAINER" in text
    assert f"{HOME}/USER/venv/lib: on NAME, MAC, nvidia" in text


def test_a_board_tells_no_secrets() -> None:
    """Scrubbing what is in the repository changes nothing: it is clean already."""
    assert [name for name in BOARD_NAMES if scrub(recorded(name)) != recorded(name)] == []
