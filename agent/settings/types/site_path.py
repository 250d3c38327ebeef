"""Paths as a site file writes them: relative ones start at the folder of the site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from agent.settings.types.refused import RefusedError

ALLOWED = "a path, absolute or from the folder of the site file"


def folder_of(info: ValidationInfo) -> Path | None:
    """The folder relative paths start at: `{"folder": Path}` in the validation's context, or None."""
    folder = info.context.get("folder") if isinstance(info.context, dict) else None
    return folder if isinstance(folder, Path) else None


def resolve(written: object, folder: Path | None) -> Path:
    """The path meant.

    Raises:
        RefusedError: no text, empty, not printable, or begins with ~ (a service has no home folder).
    """
    if isinstance(written, Path):
        return written
    if not isinstance(written, str) or not written.strip() or not written.isprintable():
        raise RefusedError(ALLOWED)
    if written.startswith("~"):
        raise RefusedError(ALLOWED, "write the path out: ~ means nothing to a service")
    return folder / written if folder is not None else Path(written)


class _SitePathType:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            lambda written, info: resolve(written, folder_of(info)),
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1}


SitePath = Annotated[Path, _SitePathType]


def _resolve_unless_dash(written: object, info: ValidationInfo) -> str:
    return "-" if written == "-" else str(resolve(written, folder_of(info)))


EventsFile = Annotated[
    str, PlainValidator(_resolve_unless_dash, json_schema_input_type=Annotated[str, Field(min_length=1)])
]
