"""Reads values of known kinds out of JSON; what is of another kind, or was never asked for, is refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from agent.models.bundle.fault import FaultError

_ANY_TEXT = re.compile(r"[ -~]{1,200}")
LARGEST_NUMBER = 1 << 40


class Written:
    """One object of JSON."""

    def __init__(self, value: object, where: str) -> None:
        """Look at its kind alone.

        Args:
            value: as the JSON parser gave it.
            where: its place, for errors.

        Raises:
            FaultError: it is no object.
        """
        if not isinstance(value, dict):
            raise FaultError(f"{where} must be an object")
        self._value: dict[str, Any] = value
        self._where = where
        self._rest = set(value)

    def get(self, key: str) -> Any:  # noqa: ANN401 - a value of JSON is whatever stands there
        """The value, of any kind; None where there is none."""
        self._rest.discard(key)
        return self._value.get(key)

    def text(self, key: str, pattern: re.Pattern[str] = _ANY_TEXT) -> str:
        """A text of this form."""
        value = self.get(key)
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise FaultError(f"{self._where}: {key} is not the text it must be")
        return value

    def text_or_none(self, key: str) -> str | None:
        """A text, or null."""
        return None if self.get(key) is None else self.text(key)

    def word(self, key: str, words: Collection[str]) -> str:
        """One of these."""
        value = self.get(key)
        if not isinstance(value, str) or value not in words:
            raise FaultError(f"{self._where}: {key} is none of {', '.join(words)}")
        return value

    def whole_number(self, key: str) -> int:
        """From 0."""
        value = self.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_NUMBER:
            raise FaultError(f"{self._where}: {key} is not the number it must be")
        return value

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(Written({key: each}, self._where).text(key) for each in self._list(key, most))

    def section(self, key: str) -> Written:
        """An object."""
        return Written(self.get(key), f"{self._where}: {key}")

    def sections(self, key: str, most: int) -> tuple[Written, ...]:
        """A list of objects."""
        return tuple(Written(each, f"{self._where}: {key}") for each in self._list(key, most))

    def all_sections(self) -> Iterator[tuple[str, Written]]:
        """Every value, each an object, with its key."""
        for key in self._value:
            yield key, self.section(key)

    def all_texts(self, pattern: re.Pattern[str]) -> dict[str, str]:
        """Every value, each a text of this form."""
        return {key: self.text(key, pattern) for key in self._value}

    def everything(self) -> dict[str, Any]:
        """The whole object, of any kinds."""
        self._rest.clear()
        return self._value

    def refuse_rest(self) -> None:
        """Nothing may be left that was not asked for.

        Raises:
            FaultError: something is.
        """
        if self._rest:
            raise FaultError(f"{self._where}: {min(self._rest)[:100]!r} means nothing to this release")

    def _list(self, key: str, most: int) -> list[Any]:
        value = self.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise FaultError(f"{self._where}: {key} must be a list of at most {most}")
        return value
