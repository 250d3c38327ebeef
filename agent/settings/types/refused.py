"""Why a written value is not taken: what would be, and what to do."""

from __future__ import annotations


class RefusedError(ValueError):
    """A written value that its type does not take; never holds the value itself, which may be secret.

    Attributes:
        allowed: what would be taken, such as "a whole number from 1 to 65535".
        hint: what to do, or empty.
    """

    def __init__(self, allowed: str, hint: str = "") -> None:
        super().__init__(f"allowed: {allowed}" + (f"; {hint}" if hint else ""))
        self.allowed = allowed
        self.hint = hint
