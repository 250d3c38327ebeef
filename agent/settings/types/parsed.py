"""What the types that parse and print themselves have in common: how pydantic is told so."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Parsed:
    """A value that pydantic reads with the type's own `parse` and writes, as JSON, with its `str`."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def parse(cls, written: object) -> object:
        """Read what stands in the site file.

        Raises:
            RefusedError: it is none of this type.
        """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema(when_used="json")
        )
