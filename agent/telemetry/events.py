"""How what the rules make of tracks is told."""

from __future__ import annotations

import logging

from agent.telemetry.teller import Teller


class EventHappenings:
    """Metrics and sentences of the events step; used by its one thread."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._events = teller.counter("events", "Events made.", ("camera", "kind", "label"))
        self._forgotten = teller.counter(
            "tracks_forgotten", "Tracks ended because too many were open at once.", ("camera",)
        )

    def event_made(self, camera_id: str, kind: str, label: str, track_id: int) -> None:
        """An event was made; `kind` and `label` come from closed lists."""
        self._events.labels(camera_id, kind, label).inc()
        if self._teller.says(logging.DEBUG):
            sentence = f"{camera_id}: {label} {track_id}: {kind}"
            self._teller.say(logging.DEBUG, sentence, camera=camera_id, kind=kind, label=label, track_id=track_id)

    def track_forgotten(self, camera_id: str) -> None:
        """More tracks were open than are remembered; the one unseen for longest was ended."""
        self._forgotten.labels(camera_id).inc()
        self._teller.fold(
            ("track_forgotten", camera_id),
            logging.WARNING,
            f"{camera_id}: {{count}} tracks ended in the last {{seconds}} s because too many were open at once",
            camera=camera_id,
        )
