"""How what happens while tracking is told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from agent.telemetry.teller import Teller


class TrackHappenings:
    """Metrics and sentences of the tracking step; used by its one thread."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._active = teller.gauge(
            "tracks_active", "Confirmed tracks in the newest frame of a camera.", ("camera", "label")
        )
        self._ended = teller.counter("tracks_ended", "Confirmed tracks given up.", ("camera",))
        self._refused = teller.counter(
            "detections_refused", "Detections that were no boxes: not finite, empty or inverted.", ("camera",)
        )
        self._shown: dict[str, Counter[str]] = {}

    def tracked(self, camera_id: str, labels: Sequence[str]) -> None:
        """A frame was tracked: the labels of its confirmed tracks, one each."""
        counts, shown = Counter(labels), self._shown.get(camera_id, Counter[str]())
        if counts == shown:
            return
        for label in counts.keys() | shown.keys():
            self._active.labels(camera_id, label).set(counts[label])
        self._shown[camera_id] = counts

    def tracks_ended(self, camera_id: str, count: int) -> None:
        """So many confirmed tracks were given up."""
        self._ended.labels(camera_id).inc(count)

    def detections_refused(self, camera_id: str, count: int) -> None:
        """So many detections of a frame were no boxes."""
        if not count:
            return
        self._refused.labels(camera_id).inc(count)
        self._teller.fold(
            ("detections_refused", camera_id),
            logging.WARNING,
            f"{camera_id}: {{count}} detections left out in the last {{seconds}} s: not finite, empty or inverted; "
            "the model's output does not fit its family",
            count=count,
            camera=camera_id,
        )
