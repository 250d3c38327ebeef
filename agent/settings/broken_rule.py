"""What a rule between keys says when it is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.settings.mistake import KeyPath, dotted


@dataclass(frozen=True)
class BrokenRule:
    """One broken rule.

    Attributes:
        key_path: the key it is told at.
        found, allowed, hint: as in `Mistake`.
        also: other keys that the rule looked at.
    """

    key_path: KeyPath
    found: str
    allowed: str
    hint: str = ""
    also: tuple[KeyPath, ...] = ()


class BrokenRulesError(ValueError):
    """Every broken rule of one site."""

    def __init__(self, broken: Sequence[BrokenRule]) -> None:
        super().__init__("; ".join(f"{dotted(rule.key_path)}: {rule.found}" for rule in broken))
        self.broken = tuple(broken)
