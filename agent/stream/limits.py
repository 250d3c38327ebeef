"""Time-outs of one source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long a source may take, seconds: to open, between two reads, between two decoded frames."""

    open_s: float = 10.0
    read_s: float = 10.0
    stall_s: float = 10.0
