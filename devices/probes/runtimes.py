"""Asks each run-time in a child process whether it works: a vendor library that crashes or hangs is an answer."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

from devices.inventory import Availability, RuntimeStatus
from devices.probes.root import CommandResult, Root

DEADLINE_S = 30.0
_MISSING = 3


@dataclass(frozen=True)
class RuntimeQuestion:
    """How to ask for a run-time.

    Attributes:
        name: as in the engine catalogue.
        module: what to import.
        devices: expression that lists its devices, once it is imported.
        package: what a person installs to get it.
        without: a module that must not be imported along: OpenVINO's reports to Intel over the network.
    """

    name: str
    module: str
    devices: str
    package: str
    without: str | None = None


def ask(question: RuntimeQuestion, root: Root, deadline_s: float = DEADLINE_S) -> RuntimeStatus:
    """Import the run-time in a child and ask its version and devices."""
    result = root.run((root.executable, "-c", _script(question)), deadline_s)
    answer = _answer(result)
    if answer is None:
        return RuntimeStatus(question.name, None, Availability(usable=False, reason=_reason(question, result)))
    version, devices = answer
    listed = ", ".join(devices) or "no device"
    return RuntimeStatus(question.name, version, Availability(usable=True, reason=f"lists {listed}"), devices)


def _script(question: RuntimeQuestion) -> str:
    hidden = f"sys.modules[{question.without!r}] = None\n" if question.without else ""
    return (
        "import importlib.util, json, sys\n"
        f"if importlib.util.find_spec({question.module!r}) is None: sys.exit({_MISSING})\n"
        f"{hidden}import {question.module}\n"
        f"version = {question.module}.__version__.split('-')[0]\n"
        f"print(json.dumps({{'version': version, 'devices': list({question.devices})}}))\n"
    )


def _answer(result: CommandResult) -> tuple[str, tuple[str, ...]] | None:
    if result.code != 0 or not result.output.strip():
        return None
    try:
        said = json.loads(result.output.strip().splitlines()[-1])
        return str(said["version"]), tuple(str(device) for device in said["devices"])
    except (ValueError, KeyError, TypeError):
        return None


def _reason(question: RuntimeQuestion, result: CommandResult) -> str:
    if result.code is None:
        return f"importing it hangs: {result.errors}"
    if result.code == _MISSING:
        return f"not installed in this Python: pip install '{question.package}'"
    if result.code < 0:
        return f"importing it crashes: {_signal_name(-result.code)}"
    said = [line.strip() for line in (result.errors or result.output).splitlines() if line.strip()]
    return f"cannot be imported: {said[-1] if said else f'exit status {result.code}'}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
