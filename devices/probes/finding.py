"""What one probe found."""

from __future__ import annotations

from dataclasses import dataclass

from devices.inventory import Absence, Accelerator


@dataclass(frozen=True)
class Finding:
    """Devices found, families not found with reasons, and what a person should know besides."""

    accelerators: tuple[Accelerator, ...] = ()
    absent: tuple[Absence, ...] = ()
    notes: tuple[str, ...] = ()
