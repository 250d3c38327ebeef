"""What is known of a site at one moment, as numbers; two of them, some seconds apart, make rates."""

from __future__ import annotations

from dataclasses import dataclass

from agent.pipeline.slots import Tally


@dataclass(frozen=True)
class Readings:
    """One look at a site. Counts only rise; a camera that was started anew counts from nothing.

    Attributes:
        at_s: monotonic seconds.
        offline: why each camera that is away is away, in a word.
        tallies: what became of the due frames of each live camera.
        idle_s: seconds that all detect workers together have waited for frames.
        workers: detect workers.
        takes_all: whether a producer waits for the workers instead of losing frames (a clip played fast), so that
            they are meant to be always busy.
        failed_inferences: so many.
        fallback: why the engine that runs is not the one that should; None where it is.
        is_connected: whether the receiver of events is there.
        events_waiting: in the outbox.
        outbox_fill: how full the outbox is, 0 to 1.
        is_disk_refusing: whether the outbox cannot be written, so that events wait in memory.
    """

    at_s: float
    offline: dict[str, str]
    tallies: dict[str, Tally]
    idle_s: float
    workers: int
    takes_all: bool
    failed_inferences: int
    fallback: str | None
    is_connected: bool
    events_waiting: int
    outbox_fill: float
    is_disk_refusing: bool
