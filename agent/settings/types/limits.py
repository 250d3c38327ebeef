"""Limits on plain numbers, texts, durations and sizes, each told whole when it is broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from agent.settings.types.duration import Duration
from agent.settings.types.refused import RefusedError
from agent.settings.types.size import Size


@dataclass(frozen=True)
class WholeNumber:
    """For `Annotated[int, ...]`: a whole number from `low` to `high`, not in quotes."""

    low: int
    high: int

    def check(self, written: object) -> int:
        """The number itself.

        Raises:
            RefusedError: no whole number, or out of bounds.
        """
        allowed = f"a whole number from {self.low} to {self.high}"
        if isinstance(written, bool) or not isinstance(written, int):
            raise RefusedError(allowed, plain_number_hint(written))
        if not self.low <= written <= self.high:
            raise RefusedError(allowed)
        return written

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Number:
    """For `Annotated[float, ...]`: a number from `low` to `high`, or above `low` where `open_low`."""

    low: float
    high: float
    open_low: bool = False

    def check(self, written: object) -> float:
        """The number as a float.

        Raises:
            RefusedError: no number, not finite, or out of bounds.
        """
        begins = "above" if self.open_low else "from"
        joins = "up to" if self.open_low else "to"
        allowed = f"a number {begins} {self.low:g} {joins} {self.high:g}"
        if isinstance(written, bool) or not isinstance(written, (int, float)):
            raise RefusedError(allowed, plain_number_hint(written))
        inside = self.low <= written <= self.high and not (self.open_low and written == self.low)
        if not inside:
            raise RefusedError(allowed)
        return float(written)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        low = "exclusiveMinimum" if self.open_low else "minimum"
        return {"type": "number", low: self.low, "maximum": self.high}


@dataclass(frozen=True)
class Text:
    """For `Annotated[str, ...]`: text that fits `pattern` whole; `allowed` says that in words."""

    pattern: str
    allowed: str

    def check(self, written: object) -> str:
        """The text itself.

        Raises:
            RefusedError: no text, or it does not fit.
        """
        if not isinstance(written, str):
            plain = isinstance(written, (int, float)) and not isinstance(written, bool)
            raise RefusedError(self.allowed, "put it in quotes" if plain else "")
        if not re.fullmatch(self.pattern, written) or not written.isprintable():
            raise RefusedError(self.allowed)
        return written

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^({self.pattern})$"}


@dataclass(frozen=True)
class Within:
    """For `Annotated[Duration, ...]` and `Annotated[Size, ...]`: from `low` to `high`."""

    low: Duration | Size
    high: Duration | Size

    def check(self, value: Any) -> Any:  # noqa: ANN401 (gives back the type it was given)
        """The value itself.

        Raises:
            RefusedError: out of bounds.
        """
        if not self.low <= value <= self.high:
            raise RefusedError(f"from {self.low} to {self.high}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "$comment": f"from {self.low} to {self.high}"}


def plain_number_hint(written: object) -> str:
    """What to do about a text that its writer meant as a number, or empty."""
    if not isinstance(written, str):
        return ""
    if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", written):
        return "a number is written without quotes and without leading zeros"
    if re.fullmatch(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?", written):
        return "a number is written without underscores"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", written):
        return "a number is written without colons"
    if re.fullmatch(r"0[xXoObB][0-9A-Fa-f_]+", written):
        return "a number is written in decimal digits"
    return ""
