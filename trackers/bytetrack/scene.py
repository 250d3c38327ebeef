"""The seam between the tracker and its two ways of computing: arrays for many objects, plain numbers for few."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from trackers.boxes import Float64Array
from trackers.detections import Detections
from trackers.tracks import Tracks


class Moment(NamedTuple):
    """When an update happens, in the tracker's own time.

    Attributes:
        now: units of time since the first update.
        elapsed: since the update before.
    """

    now: float
    elapsed: float


class Scene(Protocol):
    """The living tracks, and one update of them. Both ways give the same result, to the last bit."""

    def __len__(self) -> int:
        """How many tracks live, lost and tentative ones included."""

    def update(self, detections: Detections, moment: Moment) -> Tracks:
        """Predict, associate, and let each track live on, be lost, go, or begin."""

    def clear(self) -> None:
        """End every track."""

    def table(self) -> Float64Array:
        """The tracks as `trackers.bytetrack.arrays.table` lays them out; the caller's own."""
