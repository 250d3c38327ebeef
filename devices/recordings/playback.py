"""A recorded machine that probes look at as if it were this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from devices.probes.question import NOT_INSTALLED, question_name
from devices.probes.root import NOT_FOUND, CommandResult, Root
from devices.recordings.form import Record


@dataclass(frozen=True)
class RecordedRoot(Root):
    """A `Root` whose files and commands are those of a record; nothing of this machine shows through."""

    files: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The recorded text, as a read of the file would give it."""
        content = self.files.get(name)
        return None if content is None else content.strip("\0 \t\r\n")

    def matches(self, pattern: str) -> tuple[str, ...]:
        """Recorded paths and the folders above them, by a pattern without `**`."""
        return tuple(path for path in self._by_depth().get(pattern.count("/"), ()) if _fits(path, pattern))

    def _by_depth(self) -> dict[int, list[str]]:
        depths: dict[int, set[str]] = {}
        for path in self.files:
            parts = path.split("/")
            for depth in range(1, len(parts)):
                depths.setdefault(depth, set()).add("/".join(parts[: depth + 1]))
        return {depth: sorted(paths) for depth, paths in depths.items()}


def play(record: Record) -> RecordedRoot:
    """The machine of a record."""
    facts = record.facts
    return RecordedRoot(
        path=Path("/nowhere"),
        environment=record.environment,
        run=RecordedCommands(record.commands),
        system=facts["system"],
        release=facts["release"],
        architecture=facts["architecture"],
        python=facts["python"],
        executable="python3",
        files=record.files,
    )


@dataclass(frozen=True)
class RecordedCommands:
    """Answers as recorded; a library nobody asked for then is not installed, another command is not there."""

    answers: Mapping[str, CommandResult]

    def __call__(self, command: Sequence[str], deadline_s: float) -> CommandResult:
        """The recorded answer; `deadline_s` has been waited for already."""
        name = question_name(command) or " ".join(command)
        absent = CommandResult(NOT_FOUND, errors=f"{command[0]}: No such file or directory")
        if deadline_s <= 0:
            raise ValueError(f"a command needs time: {name}")
        return self.answers.get(name, CommandResult(NOT_INSTALLED) if question_name(command) else absent)


def _fits(path: str, pattern: str) -> bool:
    """Part by part: a star does not cross a slash."""
    return all(fnmatchcase(part, wanted) for part, wanted in zip(path.split("/"), pattern.split("/"), strict=True))
