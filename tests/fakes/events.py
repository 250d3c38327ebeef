"""Tracked frames and events with plausible values, for tests to change what they are about."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from agent.events.event import Event, EventKind
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo, GreyArray
from agent.telemetry.teller import Teller
from agent.track.tracked import TrackedFrame
from trackers import Tracks

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_900, tzinfo=timezone.utc)
RUN_ID = "01957e3a-0000-7000-8000-000000000001"


class NoPicture:
    """Stands where nobody looks at pixels."""

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        """All black."""
        return np.zeros((height_px, width_px, 3), np.uint8)

    def full(self) -> BgrArray:
        """All black."""
        return self.scaled(640, 480)

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        """All black."""
        return np.zeros((height_px, width_px), np.uint8)


def frame_info(sequence: int = 1, camera_id: str = "gate", at_s: float = 0.0) -> FrameInfo:
    """The frame so many seconds after noon."""
    return FrameInfo(
        camera_id=camera_id,
        sequence=sequence,
        captured_at=NOON + timedelta(seconds=at_s),
        clock_source=ClockSource.PTS,
        captured_monotonic_s=1000.0 + at_s,
        width_px=640,
        height_px=480,
    )


def tracked_frame(
    info: FrameInfo,
    scores: Mapping[int, float] | None = None,
    ended_ids: tuple[int, ...] = (),
    labels: tuple[str, ...] = ("person", "car"),
    class_ids: Mapping[int, int] | None = None,
    box: tuple[float, float, float, float] = (10.0, 20.0, 110.0, 220.0),
) -> TrackedFrame:
    """A frame with these tracks, by id; all at one place."""
    ids = list(scores or {})
    tracks = Tracks(
        boxes=np.array([box] * len(ids)).reshape(-1, 4),
        scores=np.array([(scores or {})[track_id] for track_id in ids]),
        class_ids=np.array([(class_ids or {}).get(track_id, 0) for track_id in ids], np.int32),
        track_ids=np.array(ids, np.int64),
        ended_ids=np.array(ended_ids, np.int64),
    )
    return TrackedFrame(Frame(info, NoPicture()), tracks, labels)


def event(number: int = 1, **changes: Any) -> Event:
    """The event of this number."""
    plain = Event(
        event_id=f"01957e3a-0000-7000-8000-{number:012d}",
        kind=EventKind.NEW,
        site_id="depot",
        camera_id="gate",
        run_id=RUN_ID,
        track_id=number,
        label="person",
        occurred_at=NOON + timedelta(seconds=number),
        started_at=NOON,
        ended_at=None,
        clock_source=ClockSource.RTCP,
        box=(10.0, 20.0, 110.0, 220.0),
        box_fraction=(10 / 640, 20 / 480, 110 / 640, 220 / 480),
        score=0.75,
        top_score=0.875,
        frame_size=(640, 480),
        frame_sequence=number,
        captured_monotonic_s=1000.0,
    )
    return replace(plain, **changes)


def teller() -> Teller:
    """A teller of a registry of its own."""
    return Teller(CollectorRegistry(), logging.getLogger("tests"))


def metric(teller: Teller, name: str, **labels: str) -> float:
    """The value of a metric; zero when nothing was counted under these labels."""
    return teller.registry.get_sample_value(f"sitewatch_{name}", labels) or 0.0
