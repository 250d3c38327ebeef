"""Recorded machines: a folder of files that stands for "/", and what their commands answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.probes.root import NOT_FOUND, CommandResult, Root

BOARDS = Path(__file__).resolve().parent.parent / "boards"


@dataclass(frozen=True)
class RecordedCommands:
    """Answers a command by the first record whose `contains` is somewhere in it."""

    records: Sequence[dict[str, Any]]

    def __call__(self, command: Sequence[str], deadline_s: float) -> CommandResult:
        """The recorded answer, or that there is no such command."""
        assert deadline_s > 0
        for record in self.records:
            if record["contains"] in " ".join(command):
                return CommandResult(record["code"], record.get("output", ""), record.get("errors", ""))
        return CommandResult(NOT_FOUND, errors=f"{command[0]}: No such file or directory")


def board(name: str) -> Root:
    """The recorded machine of this name in `tests/boards`."""
    record = json.loads((BOARDS / name / "board.json").read_text())
    return Root(
        path=BOARDS / name / "root",
        environment=record["environment"],
        run=RecordedCommands(record["commands"]),
        system=record["system"],
        release=record["release"],
        architecture=record["architecture"],
        python=record["python"],
        executable="python3",
    )
