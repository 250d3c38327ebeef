"""Protocol buffers as text, as Triton reads its `config.pbtxt`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_NAMED = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_INDENT = "  "


@dataclass(frozen=True)
class Word:
    """A word of an enumeration, which stands without quotes."""

    text: str


@dataclass(frozen=True)
class Message:
    """Fields in order; a field that repeats is written once for each of its values.

    Attributes:
        fields: name and value; a list of scalars is one field.
    """

    fields: tuple[tuple[str, Value], ...]


Scalar: TypeAlias = "str | int | bool | Word"
Value: TypeAlias = "Scalar | Sequence[Scalar] | Message"


def pbtxt(message: Message) -> str:
    """The message as text, a field a line."""
    return "".join(f"{line}\n" for line in _lines(message, ""))


def _lines(message: Message, indent: str) -> Iterator[str]:
    for name, value in message.fields:
        if isinstance(value, Message):
            yield f"{indent}{name} {{"
            yield from _lines(value, indent + _INDENT)
            yield f"{indent}}}"
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{indent}{name}: [ {', '.join(map(_scalar, value))} ]"
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: Scalar) -> str:
    if isinstance(value, Word):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A string in quotes: what is not printable ASCII as octal bytes of UTF-8."""
    return f'"{"".join(map(_escaped, text.encode()))}"'


def _escaped(byte: int) -> str:
    return _NAMED.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
