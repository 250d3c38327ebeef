"""A text that shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import hmac
from typing import NoReturn

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.settings.types.parsed import Parsed
from agent.settings.types.refused import RefusedError

STARS = "***"
ALLOWED = "text in quotes, ${NAME} of the environment, or !file PATH"


class Secret(Parsed):
    """Holds a password or token; prints as stars in every form, compares in constant time, is not pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; call this only where it is handed to a server or library."""
        return self._text

    @classmethod
    def parse(cls, written: object) -> Secret:
        """Take text, or a secret as it is.

        Raises:
            RefusedError: not text, or empty.
        """
        if isinstance(written, Secret):
            return written
        if not isinstance(written, str) or not written:
            raise RefusedError(ALLOWED)
        return cls(written)

    def __str__(self) -> str:
        return STARS

    def __repr__(self) -> str:
        return f"Secret('{STARS}')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would be written out in clear text")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "examples": ["${BROKER_PASSWORD}"]}
