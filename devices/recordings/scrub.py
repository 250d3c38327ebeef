"""Takes out of a record what names a machine, a person or a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from devices.probes.root import CommandResult
from devices.recordings.form import Record

_PATTERNS = (
    (re.compile(r"\b(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "GPU-UUID"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "UUID"),
    (re.compile(r"\b[0-9a-f]{32,64}\b", re.IGNORECASE), "CONTAINER"),
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "MAC"),
    (re.compile(r"(/home|/Users|/var/home)/[^/\s'\"]+"), r"\1/USER"),
    (re.compile(r"\buser-\d+\.slice"), "user-UID.slice"),
    (re.compile(r"\buser@\d+\.service"), "user@UID.service"),
    (re.compile(r"^(\s*(?:serial(?: number)?|uuid)\s*[:=]\s*).+$", re.IGNORECASE | re.MULTILINE), r"\1REMOVED"),
)
# Names that say nothing of anybody and are words of what is recorded.
_COMMON_WORDS = ("root", "nvidia", "ubuntu", "jetson", "orin", "tegra", "intel", "linux", "localhost", "python")
_SHORTEST_WORD = 3


def scrub(record: Record, private_words: Sequence[str] = ()) -> Record:
    """The record without serial numbers, UUIDs, MAC addresses, home folders and these words; paths are kept alike."""
    clean = _cleaner(private_words)
    return Record(
        facts={name: clean(value) for name, value in record.facts.items()},
        environment={name: clean(value) for name, value in record.environment.items()},
        files={clean(path): clean(text) for path, text in record.files.items()},
        commands={clean(name): _result(result, clean) for name, result in record.commands.items()},
        remark=clean(record.remark),
    )


def _cleaner(private_words: Sequence[str]) -> Callable[[str], str]:
    words = [word for word in private_words if len(word) >= _SHORTEST_WORD and word.lower() not in _COMMON_WORDS]
    named = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words)) if words else None

    def clean(text: str) -> str:
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return named.sub("NAME", text) if named else text

    return clean


def _result(result: CommandResult, clean: Callable[[str], str]) -> CommandResult:
    return CommandResult(result.code, clean(result.output), clean(result.errors))
