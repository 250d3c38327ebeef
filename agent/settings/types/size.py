"""A number of bytes with its unit: 64KiB, 256MiB, 1GB."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.settings.types.parsed import Parsed
from agent.settings.types.refused import RefusedError

ALLOWED = "a number with a unit: 512B, 64KiB, 256MiB, 1.5GiB or 1GB"
PATTERN = r"^[0-9]{1,19}(\.[0-9]+)?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)$"
LARGEST_BYTES = 2**63 - 1
UNIT_BYTES = {
    "TiB": 1024**4,
    "TB": 1000**4,
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "kB": 1000,
    "KB": 1000,
    "B": 1,
}
_WRITTEN = re.compile(r"([0-9]{1,19}(?:\.[0-9]+)?)([A-Za-z]{1,3})")


class Size(Parsed, int):
    """Bytes, from zero to a signed 64-bit number; an int everywhere, and prints itself with its unit."""

    __slots__ = ()

    def __new__(cls, size_bytes: int) -> Size:
        """Make one from bytes.

        Raises:
            RefusedError: negative, or larger than a signed 64-bit number.
        """
        if not 0 <= size_bytes <= LARGEST_BYTES:
            raise RefusedError("a size from zero to less than 8 EiB")
        return super().__new__(cls, size_bytes)

    @classmethod
    def parse(cls, written: object) -> Size:
        """Read what stands in the site file.

        Raises:
            RefusedError: a bare number, an unknown unit, a part of a byte, anything else.
        """
        if isinstance(written, Size):
            return written
        if isinstance(written, (int, float)):
            raise RefusedError(ALLOWED, "a unit is missing; write 256MiB")
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None or match[2] not in UNIT_BYTES:
            raise RefusedError(ALLOWED, _case_hint(match[2]) if match else "")
        exact = Decimal(match[1]) * UNIT_BYTES[match[2]]
        if exact != exact.to_integral_value():
            raise RefusedError("a whole number of bytes")
        return cls(int(exact))

    def __str__(self) -> str:
        """The largest unit that gives a whole number."""
        for unit, unit_bytes in UNIT_BYTES.items():
            if int(self) and int(self) % unit_bytes == 0:
                return f"{int(self) // unit_bytes}{unit}"
        return "0B"

    def __repr__(self) -> str:
        return f"Size({int(self)})"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": PATTERN, "examples": ["64KiB", "256MiB", "1GB"]}


def _case_hint(unit: str) -> str:
    meant = [known for known in UNIT_BYTES if known.lower() == unit.lower()]
    return f"did you mean {meant[0]}?" if meant else ""
