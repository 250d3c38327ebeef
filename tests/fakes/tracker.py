"""A tracker without geometry: all detections of one class are one object."""

from __future__ import annotations

import numpy as np

from trackers import Detections, Tracks


class FakeTracker:
    """Every class that is seen is one track, at its first detection; it ends when it is not seen.

    A class id below zero is refused.

    Attributes:
        times_s: the times it was given, in order.
        refused: how many detections it refused.
    """

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.refused = 0
        self._numbers: dict[int, int] = {}
        self._last_id = 0
        self._ended: list[int] = []

    def update(self, detections: Detections, at_s: float) -> Tracks:
        """One track a class; see the class."""
        self.times_s.append(at_s)
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

    def _end(self, class_ids: list[int]) -> None:
        self._ended += [self._numbers.pop(class_id) for class_id in class_ids]
