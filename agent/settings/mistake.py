"""Mistakes as data, and the one report that tells them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.settings.types.masking import mask
from agent.settings.types.nothing import Nothing
from agent.settings.types.secret import STARS

KeyPath = tuple[str | int, ...]
LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in a site file; holds no secret.

    Attributes:
        path: the site file.
        line: from 1, or None where the whole file is meant.
        key_path: the keys that lead to it, () for the whole file.
        found: what stands there, such as "'tpc'".
        allowed: what may stand there, or empty.
        hint: what to do, or empty.
    """

    path: Path
    line: int | None
    key_path: KeyPath
    found: str
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """The mistake in one line, which editors and terminals can jump to."""
        place = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        keys = f" {dotted(self.key_path)}:" if self.key_path else ""
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}:{keys} {self.found}{allowed}{hint}"


def render(mistakes: Iterable[Mistake]) -> str:
    """The report: how many, then one line a mistake, in the order of the file."""
    ordered = sorted(mistakes, key=lambda mistake: mistake.line or 0)
    count = "1 mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return "\n".join([f"{count} in {ordered[0].path}", *(f"  {mistake}" for mistake in ordered)])


def dotted(key_path: Sequence[str | int]) -> str:
    """cameras.gate.port, or keep_labels[2]."""
    text = ""
    for key in key_path:
        text += f"[{key}]" if isinstance(key, int) else f".{shown_text(key)}" if text else shown_text(key)
    return text


def shown(value: object, *, secret: bool = False) -> str:
    """A found value as a report may show it: credentials as stars, long texts cut, no insides of mappings."""
    if isinstance(value, dict):
        return "found a mapping" if value else "found an empty mapping"
    if isinstance(value, list):
        return "found a list" if value else "found an empty list"
    if value is None or value is Nothing.NOTHING:
        return "found nothing"
    if secret:
        return f"found {STARS}"
    if isinstance(value, bool):
        return "found true" if value else "found false"
    return f"found '{shown_text(value)}'" if isinstance(value, str) else f"found {value}"


def shown_text(text: str) -> str:
    """A text with credentials as stars, without control characters, and not too long."""
    printable = "".join(char if char.isprintable() else "?" for char in mask(text))
    return printable if len(printable) <= LONGEST_SHOWN else printable[:LONGEST_SHOWN] + "..."


def overlaps(key_path: KeyPath, others: Iterable[KeyPath]) -> bool:
    """Whether one of the others is the same key, lies above it or below it."""
    return any(key_path[: len(other)] == other or other[: len(key_path)] == key_path for other in others)
