"""Points of the ground that are known in the picture and in metres."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from agent.settings.models.record import Fraction, Record
from agent.settings.types import RefusedError
from agent.settings.types.limits import Number

FEWEST_POINTS = 4
Metres = Annotated[float, Number(-10_000_000.0, 10_000_000.0)]


def _two(written: object) -> object:
    if not isinstance(written, (list, tuple)) or len(written) != 2:
        raise RefusedError("a list of two numbers, x and y")
    return written


class GroundPointSettings(Record):
    """One point of flat ground."""

    image: Annotated[tuple[Fraction, Fraction], BeforeValidator(_two)]
    """Where it is in the picture: x and y as parts of its width and height, 0 to 1, from the top left corner."""

    ground: Annotated[tuple[Metres, Metres], BeforeValidator(_two)]
    """Where it is on the ground: x and y in metres, from any origin, in any direction."""


def _four(written: object) -> object:
    if not isinstance(written, (list, tuple)) or len(written) < FEWEST_POINTS:
        raise RefusedError(f"a list of {FEWEST_POINTS} points or more, each {{image: [x, y], ground: [x, y]}}")
    return written


GroundPoints = Annotated[
    tuple[GroundPointSettings, ...], BeforeValidator(_four), Field(json_schema_extra={"minItems": FEWEST_POINTS})
]
