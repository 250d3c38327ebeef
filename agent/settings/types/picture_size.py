"""The size of a picture: 640x480, or one number for a square."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.settings.types.parsed import Parsed
from agent.settings.types.refused import RefusedError

SMALLEST_PX, LARGEST_PX = 16, 8192
ALLOWED = f"width x height such as 640x480, or one number for a square, each from {SMALLEST_PX} to {LARGEST_PX}"
PATTERN = r"^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$"
_WRITTEN = re.compile(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})")


@dataclass(frozen=True)
class PictureSize(Parsed):
    """Width and height in pixels.

    Raises:
        RefusedError: a side is out of bounds.
    """

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if not all(SMALLEST_PX <= side <= LARGEST_PX for side in (self.width_px, self.height_px)):
            raise RefusedError(ALLOWED)

    @classmethod
    def parse(cls, written: object) -> PictureSize:
        """Read what stands in the site file.

        Raises:
            RefusedError: anything but WxH in text or one whole number.
        """
        if isinstance(written, PictureSize):
            return written
        if isinstance(written, int) and not isinstance(written, bool):
            return cls(written, written)
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None:
            raise RefusedError(ALLOWED)
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "string", "pattern": PATTERN},
                {"type": "integer", "minimum": SMALLEST_PX, "maximum": LARGEST_PX},
            ],
            "examples": ["640x480", 416],
        }
