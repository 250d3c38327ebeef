"""What all settings have in common: frozen, unknown keys refused, a docstring for every key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, model_validator

from agent.settings.types.limits import Number, Text, WholeNumber
from agent.settings.types.nothing import Nothing


def _section_may_be_empty(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema what the validator below does."""
    if not schema.get("required"):
        schema["type"] = ["object", "null"]


class Record(BaseModel):
    """A frozen record that refuses unknown keys; the docstring under a field is its help in editors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        json_schema_extra=_section_may_be_empty,
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_section_means_defaults(cls, written: object) -> object:
        """A section whose keys are all commented out is there, with its defaults."""
        return {} if written is None or written is Nothing.NOTHING else written


Identifier = Annotated[
    str,
    Text(
        "[a-z0-9][a-z0-9_-]{0,62}",
        "up to 63 small letters, digits, _ and -, beginning with a letter or digit",
    ),
]
UserName = Annotated[str, Text(".{1,256}", "text of 1 to 256 characters")]
HostName = Annotated[
    str,
    Text(r"[A-Za-z0-9_.:%-]{1,253}", "a host name or IP address, without scheme, port or brackets"),
]
Label = Annotated[str, Text(r"\S|\S.{0,126}\S", "text of 1 to 128 characters, no space at either end")]
Fraction = Annotated[float, Number(0.0, 1.0)]
Port = Annotated[int, WholeNumber(1, 65535)]


def chosen_by_kind(allowed: str, words: tuple[str, ...] = ()) -> Discriminator:
    """Choose a member of a union by what was written: tags <word>, <text>, <number>, <list>, <mapping>.

    Args:
        allowed: told when no member fits.
        words: texts that are tagged <word>; every other text is tagged <text>.
    """
    return Discriminator(
        _kind_of(words),
        custom_error_type="refused",
        custom_error_message=allowed,
    )


def _kind_of(words: tuple[str, ...]) -> Callable[[Any], str | None]:
    def kind_of(written: object) -> str | None:
        if isinstance(written, (str, PurePath)):
            return "<word>" if written in words else "<text>"
        if isinstance(written, (Mapping, BaseModel)):
            return "<mapping>"
        if isinstance(written, (list, tuple)):
            return "<list>"
        return "<number>" if isinstance(written, (int, float)) and not isinstance(written, bool) else None

    return kind_of
