"""Something to tell the outside, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from agent.stream.frame import ClockSource

Box = tuple[float, float, float, float]


class EventKind(str, Enum):
    """The closed list of what an event can say."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True)
class Event:
    """Something to tell the outside, once.

    The outbox gives `sequence`; everything else is known when the event is made.

    Attributes:
        event_id: unique, and sortable by time; the same however often the event is sent.
        kind: what happened.
        site_id, camera_id: where.
        run_id: the life of the process that made it.
        track_id: whose event; at least 1; unique per camera among the tracks that one run has numbered.
        label: text of the class.
        occurred_at: UTC time of the frame that caused it; `clock_source` says what that time rests on.
        started_at: UTC time of the frame the track was first seen in.
        ended_at: UTC time of the frame the track was last seen in; only of an `end`.
        box: x1 y1 x2 y2 in frame pixels where it was last seen, clipped to the frame.
        box_fraction: the same divided by the frame's size, four floats 0 to 1.
        score, top_score: of the last matched detection, and the best so far; 0 to 1.
        frame_size: width and height of the stream, pixels.
        frame_sequence: the camera's frame number.
        captured_monotonic_s: of the frame, for latency; not sent. None where no frame caused the event: a camera or
            the agent stopped.
        track_run_id: the run that gave the track its number, where that was an earlier one; None: this run.
    """

    event_id: str
    kind: EventKind
    site_id: str
    camera_id: str
    run_id: str
    track_id: int
    label: str
    occurred_at: datetime
    started_at: datetime
    ended_at: datetime | None
    clock_source: ClockSource
    box: Box
    box_fraction: Box
    score: float
    top_score: float
    frame_size: tuple[int, int]
    frame_sequence: int
    captured_monotonic_s: float | None
    track_run_id: str | None = None


def clip(box: Box, frame_size: tuple[int, int]) -> Box:
    """The part of a box that lies in the frame, pixels; a box wholly outside shrinks to nothing at the border.

    Tracks keep their boxes unclipped, as clipping before tracking costs accuracy; this is where boxes leave the agent.
    """
    width_px, height_px = frame_size
    x1, y1, x2, y2 = box
    return (
        min(max(x1, 0.0), width_px),
        min(max(y1, 0.0), height_px),
        min(max(x2, 0.0), width_px),
        min(max(y2, 0.0), height_px),
    )


def fraction(box: Box, frame_size: tuple[int, int]) -> Box:
    """A clipped box divided by the frame's size: four floats 0 to 1."""
    width_px, height_px = frame_size
    x1, y1, x2, y2 = box
    return (x1 / width_px, y1 / height_px, x2 / width_px, y2 / height_px)
