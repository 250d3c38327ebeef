"""Questions to libraries, asked in a child process: a library that crashes or hangs is an answer."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from typing import Any

from devices.probes.root import CommandResult, Root

NOT_INSTALLED = 3
"""Exit status of a question whose library is not there."""


def ask_library(root: Root, name: str, script: str, deadline_s: float) -> CommandResult:
    """Run a script in a child of the same Python; `name` says what is asked, for people and recordings.

    The script prints its answer as one line of JSON, the last, or exits with `NOT_INSTALLED`.
    """
    return root.run((root.executable, "-c", f"# {name}\n{script}"), deadline_s)


def question_name(command: Sequence[str]) -> str | None:
    """How a recording calls this command, or None where it is no question to a library."""
    found = re.match(r"# ([\w.-]+)\n", command[2]) if len(command) == 3 and command[1] == "-c" else None
    return f"python: {found[1]}" if found else None


def answer(result: CommandResult) -> dict[str, Any] | None:
    """What the script printed, or None where it did not come so far."""
    if result.code != 0 or not result.output.strip():
        return None
    try:
        said = json.loads(result.output.strip().splitlines()[-1])
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def failure(result: CommandResult, doing: str) -> str:
    """Why there is no answer: "importing it hangs: no answer within 30 s"; `doing` is "importing it"."""
    if result.code is None:
        return f"{doing} hangs: {result.errors.strip()}"
    if result.code < 0:
        return f"{doing} crashes: {_signal_name(-result.code)}"
    said = [line.strip() for line in (result.errors or result.output).splitlines() if line.strip()]
    return f"{doing} fails: {said[-1] if said else f'exit status {result.code}'}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
