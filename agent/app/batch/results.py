"""What came of each clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from agent.app.batch.clips import Clip
from agent.app.works.told import Told
from agent.events.event import EventKind


class State(str, Enum):
    """How a clip ended."""

    DONE = "done"
    DONE_BEFORE = "done before"
    DAMAGED = "damaged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass
class Counts:
    """What was seen in one clip.

    Attributes:
        frames: told.
        events: how many, by type.
        objects: how many were told of, by label.
    """

    frames: int = 0
    events: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)

    def add(self, told: Told) -> None:
        """Count one frame and its events."""
        self.frames += told.tracked is not None
        self.events.update(event.kind.value for event in told.events)
        self.objects.update(event.label for event in told.events if event.kind is EventKind.NEW)


@dataclass(frozen=True)
class Result:
    """What came of one clip.

    Attributes:
        clip: which.
        state: how it ended.
        reason: of a state that is not done; else "".
        counts: what was seen.
        seconds: from its first frame asked for to its files written.
    """

    clip: Clip
    state: State
    reason: str = ""
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
