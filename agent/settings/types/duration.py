"""A length of time with its unit: 250ms, 10s, 1.5m, 2h, 7d."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.settings.types.parsed import Parsed
from agent.settings.types.refused import RefusedError

ALLOWED = "a number with a unit: 250ms, 10s, 1.5m, 2h or 7d"
PATTERN = r"^[0-9]{1,20}(\.[0-9]+)?(ms|s|m|h|d)$"
LONGEST_S = 100 * 365.25 * 86400
UNIT_S = {"d": Decimal(86400), "h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}
_WRITTEN = re.compile(r"([0-9]{1,20}(?:\.[0-9]+)?)(ms|s|m|h|d)", re.ASCII)


class Duration(Parsed, float):
    """Seconds, from zero to a hundred years; a float everywhere, and prints itself with its unit."""

    __slots__ = ()

    def __new__(cls, seconds: float) -> Duration:
        """Make one from seconds.

        Raises:
            RefusedError: negative, too long or not a number.
        """
        if not 0 <= seconds <= LONGEST_S:
            raise RefusedError("a length of time from zero to a hundred years")
        return super().__new__(cls, seconds)

    @classmethod
    def parse(cls, written: object) -> Duration:
        """Read what stands in the site file.

        Raises:
            RefusedError: a bare number, an unknown unit, anything else.
        """
        if isinstance(written, Duration):
            return written
        if isinstance(written, (int, float)) and not isinstance(written, bool):
            raise RefusedError(ALLOWED, _unit_hint(written))
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None:
            raise RefusedError(ALLOWED)
        return cls(float(Decimal(match[1]) * UNIT_S[match[2]]))

    def __str__(self) -> str:
        """The shortest way to write it that reads back as the same duration."""
        exact = Decimal(float.__repr__(self))
        for unit, seconds in UNIT_S.items():
            count = exact / seconds
            if exact and count == count.to_integral_value():
                return f"{count:.0f}{unit}"
        return f"{exact.normalize():f}s"

    def __repr__(self) -> str:
        return f"Duration({float.__repr__(self)})"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": PATTERN, "examples": ["250ms", "10s", "1.5m", "2h", "7d"]}


def _unit_hint(number: float) -> str:
    return f"a unit is missing; write {number}s" if 0 <= number <= LONGEST_S else "write 10s"
