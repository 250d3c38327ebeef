"""How far the motion filter believes anything: its standard deviations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseWeights:
    """Standard deviations as pairs: for centre and height in box heights, then for the aspect.

    Attributes:
        position: added by every prediction.
        velocity: added by every prediction, per unit of time.
        measurement: of a detection.
        first_position: of a new track.
        first_velocity: of a new track, per unit of time.
        aspect_is_relative: the aspect's deviations are parts of the aspect; else they are absolute.
        shrink_limit: a prediction leaves at least this part of height and aspect; 0 for no limit.
    """

    position: tuple[float, float]
    velocity: tuple[float, float]
    measurement: tuple[float, float]
    first_position: tuple[float, float]
    first_velocity: tuple[float, float]
    aspect_is_relative: bool
    shrink_limit: float
