"""Run-times asked in a real child process."""

from __future__ import annotations

import sys

import pytest
from fakes.engine import CPU_ENGINES

from devices.engines.catalogue import availability
from devices.probes.root import NOT_FOUND, run_command, this_machine
from devices.probes.runtimes import RuntimeQuestion, ask

ROOT = this_machine(sys.executable)


def question(module: str, devices: str = "[]") -> RuntimeQuestion:
    return RuntimeQuestion("other", module, devices, "other-package")


@pytest.mark.parametrize("name", CPU_ENGINES)
def test_a_run_time_that_is_there(name: str) -> None:
    """It tells its version and its devices."""
    status = availability(name, ROOT)

    assert status.availability.usable
    assert status.version is not None
    assert status.version[0].isdigit()
    assert any("CPU" in device for device in status.devices)


def test_one_that_is_not_installed() -> None:
    """The reason says what to install."""
    status = ask(question("no_such_run_time"), ROOT)

    assert (status.version, status.availability.usable) == (None, False)
    assert status.availability.reason == "not installed in this Python: pip install 'other-package'"


def test_one_that_crashes() -> None:
    """A library that ends its process by a signal is an answer, with the signal's name."""
    crash = "__import__('os').kill(__import__('os').getpid(), 11)"

    assert ask(question("onnx", crash), ROOT).availability.reason == "importing it crashes: SIGSEGV"


def test_one_that_hangs() -> None:
    """At the deadline the child is stopped and the hang is the answer."""
    status = ask(question("json", "__import__('time').sleep(60)"), ROOT, deadline_s=0.5)

    assert status.availability.reason == "importing it hangs: no answer within 0.5 s"


def test_one_that_raises() -> None:
    """The last line of its complaint is the reason."""
    status = ask(question("onnx", "[][0]"), ROOT)

    assert status.availability.reason == "importing it fails: IndexError: list index out of range"


def test_a_command_that_is_not_there() -> None:
    """Running nothing is an answer too."""
    assert run_command(("/no/such/command",), 1.0).code == NOT_FOUND
