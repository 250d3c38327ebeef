"""What a tool's options say of a model, as the record that a site file would make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.errors import ToolInputError
from agent.settings.models import ModelSettings


def told_settings(**said: Any) -> ModelSettings:  # noqa: ANN401 - every key has a type of its own, checked by the record
    """The record.

    Raises:
        ToolInputError: a value is not allowed; it names the option of that name.
    """
    try:
        return ModelSettings(**said)
    except ValueError as error:
        raise ToolInputError("; ".join(_mistakes(error))) from error


def _mistakes(error: Any) -> Iterator[str]:  # noqa: ANN401 - of a library that only the settings know
    for mistake in error.errors():
        option = str(mistake["loc"][0]).replace("_", "-").replace("servers", "server")
        yield f"--{option}: {mistake['msg'].removeprefix('Value error, ')}"
