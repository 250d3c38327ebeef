"""The daemon for macOS: its property list, and the door that tells exit statuses apart for launchd."""

from __future__ import annotations

import os
import plistlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LAUNCHD = Path(__file__).resolve().parents[2] / "systemd" / "launchd"
SLOW = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("stopping", flush=True), sys.exit(0)))
signal.signal(signal.SIGHUP, lambda *_: print("reload", flush=True))
print("runs", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Stands for sitewatch: `run 70` ends with 70, `run slow` waits for signals."""
    path = tmp_path / "sitewatch"
    path.write_text(f'#!/bin/sh\n[ "$2" = slow ] || exit "$2"\nexec {sys.executable} -c \'{SLOW}\'\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def run_site(program: Path, argument: str) -> subprocess.Popen[str]:
    """run-site as launchd starts it."""
    # A signal that is ignored at its start a shell cannot trap; under nohup that would be SIGHUP.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            ["sh", LAUNCHD / "run-site", argument],
            env={**os.environ, "SITEWATCH": str(program)}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_property_list_gives_the_same_life() -> None:
    """Well formed; started at boot, kept alive unless it ended well, not faster than every thirty seconds."""
    told = plistlib.loads((LAUNCHD / "sitewatch.site.plist").read_bytes())

    assert told["RunAtLoad"] is True
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["ThrottleInterval"] >= 10
    assert told["ExitTimeOut"] == 45
    assert told["StandardErrorPath"].endswith("SITE.log")
    assert told["ProgramArguments"][0].endswith("launchd/run-site")
    assert os.access(LAUNCHD / "run-site", os.X_OK)


@pytest.mark.parametrize(("status", "seen"), [(0, 0), (78, 0), (70, 70), (75, 75)])
def test_only_a_wrong_site_file_is_taken_for_a_good_end(program: Path, status: int, seen: int) -> None:
    """Whatever ends with another status than 0 is started again by launchd."""
    with run_site(program, str(status)) as running:
        assert running.wait(10) == seen


def test_signals_are_handed_on(program: Path) -> None:
    """SIGHUP reloads and does not end it, SIGTERM stops it, and its status is the program's."""
    with run_site(program, "slow") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "runs\n"
        time.sleep(0.1)  # the shell sets its traps right after the start
        running.send_signal(signal.SIGHUP)
        assert running.stdout.readline() == "reload\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.readline() == "stopping\n"
        assert running.wait(10) == 0
