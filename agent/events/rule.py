"""The seam for what makes events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from agent.events.event import Event
from agent.track.tracked import TrackedFrame


class Rule(Protocol):
    """Turns the tracked frames of every camera into events.

    All three are called by one thread. The frames of one camera come in order; cameras are mixed. A rule keeps what
    it needs between frames, in bounded memory.
    """

    def observe(self, tracked: TrackedFrame) -> Iterable[Event]:
        """What this frame gives reason to tell."""

    def camera_ended(self, camera_id: str, at: datetime) -> Iterable[Event]:
        """What is to be told as the camera will give no more frames, or begins anew with new track ids."""

    def close(self, at: datetime) -> Iterable[Event]:
        """What is to be told as the agent stops; nothing is observed after it."""
