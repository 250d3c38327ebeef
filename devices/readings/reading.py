"""One number that a device tells of itself, and a machine's worth of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Quantity(str, Enum):
    """What a number is, with its unit."""

    UTILISATION = "utilisation"
    """Share of time in use, 0 to 1."""
    BUSY_SECONDS = "busy_seconds"
    """Time in use since some past moment; its rise over the time between two readings is the utilisation."""
    MEMORY_USED_BYTES = "memory_used_bytes"
    MEMORY_TOTAL_BYTES = "memory_total_bytes"
    TEMPERATURE_CELSIUS = "temperature_celsius"
    THROTTLE_MARGIN_CELSIUS = "throttle_margin_celsius"
    """Degrees left until the system slows the device down; below zero it does."""
    POWER_WATTS = "power_watts"
    IS_ACTIVE = "is_active"
    """1 where the device is powered and at work, else 0."""
    IS_THROTTLED = "is_throttled"
    """1 where heat slows the device down right now, else 0."""
    THROTTLES = "throttles"
    """Times heat slowed the device down, since the machine started."""


@dataclass(frozen=True)
class Reading:
    """One number.

    Attributes:
        quantity: what it is.
        device: whose it is: "cpu", "nvidia_gpu0", "dla1"; of temperatures the sensor, of power the rail. From a set
            that does not grow while the machine runs.
        value: in the quantity's unit.
    """

    quantity: Quantity
    device: str
    value: float


@dataclass(frozen=True)
class Trouble:
    """A source that should tell and does not.

    Attributes:
        source: "nvidia-smi".
        reason: why, for a person.
    """

    source: str
    reason: str


@dataclass(frozen=True)
class Vitals:
    """Everything the machine told at one time.

    Attributes:
        readings: at most one a quantity and device.
        troubles: sources that failed.
        power_mode: as the machine names it, or None where it has none.
    """

    readings: tuple[Reading, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    power_mode: str | None = None

    def value(self, quantity: Quantity, device: str) -> float | None:
        """The number, or None where the machine does not tell it."""
        found = (each.value for each in self.readings if each.quantity is quantity and each.device == device)
        return next(found, None)


def together(parts: Iterable[Vitals]) -> Vitals:
    """What several sources told; where two tell the same number, the first counts."""
    readings: dict[tuple[Quantity, str], Reading] = {}
    troubles: list[Trouble] = []
    power_mode: str | None = None
    for part in parts:
        for reading in part.readings:
            readings.setdefault((reading.quantity, reading.device), reading)
        troubles += part.troubles
        power_mode = power_mode or part.power_mode
    return Vitals(tuple(readings.values()), tuple(troubles), power_mode)
