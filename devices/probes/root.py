"""The machine a probe looks at: a folder, an environment and a way to run commands; this one, or a recorded one."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    Attributes:
        code: exit status; negative is the signal that ended it; None where it had to be stopped at its deadline.
        output: standard output.
        errors: standard error, or why the command could not be started.
    """

    code: int | None
    output: str = ""
    errors: str = ""


NOT_FOUND = 127
"""The exit status of a command that is not there, as shells have it."""

Runner = Callable[[Sequence[str], float], CommandResult]
"""Runs a command with a deadline in seconds; never raises."""


@dataclass(frozen=True)
class Root:
    """Where a probe looks.

    Attributes:
        path: what stands for "/".
        environment: variables.
        run: runs a command.
        system: "Linux", "Darwin".
        release: of the system's kernel.
        architecture: "x86_64", "aarch64", "arm64".
        python: version of the interpreter.
        executable: the interpreter, for children.
    """

    path: Path
    environment: Mapping[str, str]
    run: Runner
    system: str
    release: str
    architecture: str
    python: str
    executable: str

    def text(self, name: str) -> str | None:
        """A file's text without NUL and white space at its ends, or None where there is none to read.

        Read as bytes: sysfs files of powered-down parts answer EAGAIN, which text mode turns into a TypeError.
        """
        try:
            with open(self.path / name.lstrip("/"), "rb", buffering=0, opener=_without_waiting) as stream:
                content = stream.read(_MAX_FILE_BYTES)
        except OSError:
            return None
        return content.decode("utf-8", "replace").strip("\0 \t\r\n") if content is not None else None

    def matches(self, pattern: str) -> tuple[str, ...]:
        """Paths that match a glob pattern, from "/", sorted; empty where nothing does or may be listed."""
        try:
            found = sorted(self.path.glob(pattern.lstrip("/")))
        except OSError:
            return ()
        return tuple("/" + each.relative_to(self.path).as_posix() for each in found)

    def properties(self, name: str) -> dict[str, str]:
        """A file of `KEY=value` lines, such as sysfs `uevent`; empty where there is none."""
        lines = (self.text(name) or "").splitlines()
        return {key: value.strip().strip('"') for key, mark, value in (line.partition("=") for line in lines) if mark}


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def this_machine(executable: str) -> Root:
    """The machine we run on; `executable` is the interpreter for children, `sys.executable` as a rule."""
    return Root(
        path=Path("/"),
        environment=dict(os.environ),
        run=run_command,
        system=platform.system(),
        release=platform.release(),
        architecture=platform.machine(),
        python=platform.python_version(),
        executable=executable,
    )


def run_command(command: Sequence[str], deadline_s: float) -> CommandResult:
    """Run a command to its end or the deadline; whatever happens is an answer.

    The only place where probes start processes.
    """
    try:
        done = subprocess.run(  # noqa: S603 - commands are this package's own constants, no shell
            list(command), capture_output=True, timeout=deadline_s, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return CommandResult(None, errors=f"no answer within {deadline_s:g} s")
    except OSError as error:
        return CommandResult(NOT_FOUND, errors=f"{command[0]}: {error.strerror}")
    return CommandResult(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )
