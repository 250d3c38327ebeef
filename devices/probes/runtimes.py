"""Asks each run-time in a child process whether it works: a vendor library that crashes or hangs is an answer."""

from __future__ import annotations

from dataclasses import dataclass

from devices.inventory import Availability, RuntimeStatus
from devices.probes.question import NOT_INSTALLED, answer, ask_library, failure
from devices.probes.root import CommandResult, Root

DEADLINE_S = 30.0
NOT_USABLE = 4
"""Exit status of a gate that is closed; the last line on standard error says why."""


@dataclass(frozen=True)
class RuntimeQuestion:
    """How to ask for a run-time.

    Attributes:
        name: as in the engine catalogue.
        module: what to import.
        devices: expression that lists its devices, once it is imported.
        package: what a person installs to get it.
        without: a module that must not be imported along: OpenVINO's reports to Intel over the network.
        gate: statements that run before the import; they end the child with `NOT_USABLE` where something is missing
            without which the library itself could crash.
        distributions: what may bring it, as Python's package metadata knows them: their versions are read without
            importing anything.
    """

    name: str
    module: str
    devices: str
    package: str
    without: str | None = None
    distributions: tuple[str, ...] = ()
    gate: str = ""


def ask(question: RuntimeQuestion, root: Root, deadline_s: float = DEADLINE_S) -> RuntimeStatus:
    """Import the run-time in a child and ask its version and devices."""
    result = ask_library(root, question.name, _script(question), deadline_s)
    said = _version_and_devices(result)
    if said is None:
        return RuntimeStatus(question.name, None, Availability(usable=False, reason=_reason(question, result)))
    version, devices = said
    listed = ", ".join(devices) or "no device"
    return RuntimeStatus(question.name, version, Availability(usable=True, reason=f"lists {listed}"), devices)


def _script(question: RuntimeQuestion) -> str:
    hidden = f"sys.modules[{question.without!r}] = None\n" if question.without else ""
    return (
        f"import importlib.util, json, sys\n{question.gate}"
        f"if importlib.util.find_spec({question.module!r}) is None: sys.exit({NOT_INSTALLED})\n"
        f"{hidden}import {question.module}\n"
        f"version = {question.module}.__version__.split('-')[0]\n"
        f"print(json.dumps({{'version': version, 'devices': list({question.devices})}}))\n"
    )


def _version_and_devices(result: CommandResult) -> tuple[str, tuple[str, ...]] | None:
    said = answer(result) or {}
    if "version" not in said or not isinstance(said.get("devices"), list):
        return None
    return str(said["version"]), tuple(str(device) for device in said["devices"])


def _reason(question: RuntimeQuestion, result: CommandResult) -> str:
    if result.code == NOT_INSTALLED:
        return f"not installed in this Python: pip install '{question.package}'"
    if result.code == NOT_USABLE:
        return result.errors.strip().splitlines()[-1]
    return failure(result, "importing it")
