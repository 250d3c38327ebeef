r"""The text form of a recorded machine: facts, files and commands, for people to read and to write.

    # What this machine is, and where the record comes from.
    system: Linux
    environment: CUDA_VISIBLE_DEVICES=0

    /proc/device-tree/model
        NVIDIA Jetson AGX Orin Developer Kit\0

    /dev/dri/renderD128

    $ [0] nvpmodel -q
        NV Power Mode: MAXN
        0

A path alone is there and has nothing to read. The number is the exit status, negative for a signal; `deadline` stands
for a command that had to be stopped. Lines after `  ! ` are standard error. NUL is written `\0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from devices.probes.root import CommandResult

_INDENT = "    "
_ERROR = "  ! "
_DEADLINE = "deadline"
_ESCAPES = {"\\": "\\\\", "\0": "\\0", "\r": "\\r"}
_COMMAND = re.compile(r"\$ \[(-?\d+|deadline)\] (.+)")


@dataclass(frozen=True)
class Record:
    """A machine's facts, files and commands.

    Attributes:
        facts: `system`, `release`, `architecture`, `python`.
        environment: variables.
        files: text by path; "" where there is nothing to read.
        commands: what a command answered, by its name.
        remark: what a person should know of it.
    """

    facts: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, CommandResult] = field(default_factory=dict)
    remark: str = ""


def write(record: Record) -> str:
    """The record as text; `read` gives it back."""
    lines = [f"# {line}".rstrip() for line in record.remark.splitlines()]
    lines += [f"{name}: {value}" for name, value in record.facts.items()]
    lines += [f"environment: {name}={value}" for name, value in record.environment.items()]
    for path, content in sorted(record.files.items()):
        lines += ["", path, *_indented(content, _INDENT)]
    for name, result in sorted(record.commands.items()):
        code = _DEADLINE if result.code is None else str(result.code)
        lines += ["", f"$ [{code}] {name}", *_indented(result.output, _INDENT), *_indented(result.errors, _ERROR)]
    return "\n".join(lines) + "\n"


def read(text: str) -> Record:
    """The record that a text holds.

    Raises:
        ValueError: a line is of no known form; the message has it.
    """
    facts: dict[str, str] = {}
    environment: dict[str, str] = {}
    files: dict[str, str] = {}
    commands: dict[str, CommandResult] = {}
    for head, output, errors in _blocks(text):
        if head.startswith("/"):
            files[head] = output.rstrip("\n")
        elif found := _COMMAND.fullmatch(head):
            code = None if found[1] == _DEADLINE else int(found[1])
            commands[found[2]] = CommandResult(code, output, errors)
        elif head.startswith("environment: "):
            name, _, value = head.removeprefix("environment: ").partition("=")
            environment[name] = value
        else:
            facts.update([_fact(head)])
    remark = "\n".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    return Record(facts, environment, files, commands, remark)


def _fact(head: str) -> tuple[str, str]:
    name, mark, value = head.partition(": ")
    if not mark:
        raise ValueError(f"neither a fact, a path nor a command: {head!r}")
    return name, value


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Each head with its output and its standard error."""
    head, output, errors = "", [""], [""]
    for line in text.split("\n"):
        if line.startswith(_ERROR):
            errors.append(_plain(line[len(_ERROR) :]))
        elif line.startswith(_INDENT) or not line:
            output.append(_plain(line[len(_INDENT) :]))
        elif not line.startswith("#"):
            if head:
                yield head, _joined(output), _joined(errors)
            head, output, errors = line, [], []
    if head:
        yield head, _joined(output), _joined(errors)


def _joined(lines: list[str]) -> str:
    """Empty lines between blocks are for the eye."""
    text = "\n".join(lines).rstrip("\n")
    return f"{text}\n" if text else ""


def _indented(text: str, indent: str) -> Iterator[str]:
    for line in text.rstrip("\n").split("\n") if text.strip("\n") else ():
        if not line and indent == _ERROR:
            continue
        yield (indent + "".join(_ESCAPES.get(letter, letter) for letter in line)).rstrip(" ")


def _plain(line: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"0": "\0", "r": "\r"}.get(found[1], found[1]), line)
