"""What goes from tracking to whoever tells the outside."""

from __future__ import annotations

from dataclasses import dataclass

from agent.events.event import Event
from agent.track.tracked import TrackedFrame


@dataclass(frozen=True, eq=False)
class Told:
    """What goes from tracking to whoever tells the outside.

    Attributes:
        tracked: the frame, or None where a camera fell silent or everything stops.
        events: what the rules made of it.
        ended: the camera that said farewell: nothing more is told of it as it was.
    """

    tracked: TrackedFrame | None
    events: tuple[Event, ...]
    ended: str | None = None
