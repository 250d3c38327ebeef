"""The first signal asks, the second insists; in this process and in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent import manual
from agent.service.exit_codes import ExitCode
from agent.service.signals import StopSignals

REPOSITORY = Path(__file__).resolve().parents[3]
DEADLINE_S = 10.0

STUBBORN = """
import time
from agent.service.signals import StopSignals
with StopSignals(ask=lambda: print("asked", flush=True)):
    print("runs", flush=True)
    while True:
        time.sleep(0.05)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_asks_once(number: signal.Signals) -> None:
    """SIGINT is no KeyboardInterrupt while the agent runs; the first signal is remembered."""
    asked: list[str] = []
    insisted: list[int] = []
    with StopSignals(lambda: asked.append("asked"), insisted.append) as signals:
        os.kill(os.getpid(), number)

    assert asked == ["asked"]
    assert insisted == []
    assert signals.received == number


def test_a_second_signal_insists() -> None:
    """Whichever they are."""
    asked: list[str] = []
    insisted: list[int] = []
    with StopSignals(lambda: asked.append("asked"), insisted.append):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    assert asked == ["asked"]
    assert insisted == [signal.SIGTERM]


def test_the_handlers_before_are_put_back() -> None:
    """Outside, signals mean what they meant."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with StopSignals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) != before[0]

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_program_that_does_not_listen_ends_at_the_second_signal() -> None:
    """The second signal ends the process at once, with the status of a killed one."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        code = process.wait(DEADLINE_S)

    assert code == 128 + signal.SIGTERM


def test_exit_codes_are_those_of_sysexits() -> None:
    """Numbers others rely on, each told by the manual."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "USAGE": 64,
        "DATAERR": 65,
        "NOINPUT": 66,
        "UNAVAILABLE": 69,
        "SOFTWARE": 70,
        "CANTCREAT": 73,
        "TEMPFAIL": 75,
        "CONFIG": 78,
    }
    told = {int(line.split()[0]) for line in manual.SITEWATCH_MORE.splitlines() if line[:5].strip().isdigit()}
    assert told == set(ExitCode)
