"""A tracker without geometry: all detections of one class are one object."""

from __future__ import annotations

import numpy as np

from trackers import CameraMotion, Detections, TrackerState, TrackerStateError, Tracks
from trackers.bytetrack.arrays.table import CLASS_ID, REPORTED, ROWS, STAGE, TRACK_ID, TRACKED

SETTINGS = {"kind": "fake"}


class FakeTracker:
    """Every class that is seen is one track, at its first detection; it ends when it is not seen.

    A class id below zero is refused.

    Attributes:
        times_s: the times it was given, in order.
        camera_motions: those it was given with them.
        refused: how many detections it refused.
        imported_at_s: the time that came with the last state it took over.
    """

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.camera_motions: list[CameraMotion | None] = []
        self.refused = 0
        self.imported_at_s: float | None = None
        self._numbers: dict[int, int] = {}
        self._last_id = 0
        self._ended: list[int] = []

    def update(self, detections: Detections, at_s: float, camera_motion: CameraMotion | None = None) -> Tracks:
        """One track a class; see the class."""
        self.times_s.append(at_s)
        self.camera_motions.append(camera_motion)
        self.refused += int(np.count_nonzero(detections.class_ids < 0))
        detections = detections[detections.class_ids >= 0]
        class_ids, first = np.unique(detections.class_ids, return_index=True)
        seen = class_ids.tolist()
        self._end([class_id for class_id in self._numbers if class_id not in seen])
        for class_id in seen:
            if class_id not in self._numbers:
                self._last_id += 1
                self._numbers[class_id] = self._last_id
        numbers = np.array([self._numbers[class_id] for class_id in seen], np.int64)
        ended, self._ended = self._ended, []
        boxes, scores = detections.boxes[first].astype(np.float64), detections.scores[first].copy()
        return Tracks(boxes, scores, class_ids, numbers, np.array(ended, np.int64))

    def reset(self) -> None:
        """End every track."""
        self._end(list(self._numbers))

    def export_state(self) -> TrackerState:
        """Numbers and classes, in a table that says nothing else."""
        table = np.zeros((ROWS, len(self._numbers)))
        table[CLASS_ID], table[TRACK_ID] = list(self._numbers), list(self._numbers.values())
        table[STAGE], table[REPORTED] = TRACKED, 1.0
        return TrackerState(
            SETTINGS,
            table,
            0.0,
            None,
            bool(self.times_s),
            is_fresh=False,
            last_id=self._last_id,
            ended_ids=tuple(self._ended),
        )

    def import_state(self, state: TrackerState, at_s: float) -> None:
        """Take the numbers over; tracks without one get theirs when they are seen."""
        if state.settings != SETTINGS:
            raise TrackerStateError("tracker state: settings: another kind of tracker")
        self.imported_at_s = at_s
        rows = zip(state.table[CLASS_ID].tolist(), state.table[TRACK_ID].tolist(), strict=True)
        self._numbers = {int(class_id): int(number) for class_id, number in rows if number}
        self._last_id, self._ended = state.last_id, list(state.ended_ids)

    def _end(self, class_ids: list[int]) -> None:
        self._ended += [self._numbers.pop(class_id) for class_id in class_ids]
