"""One living track as plain numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np

from trackers.boxes import Float64Array
from trackers.bytetrack.arrays.table import CLASS_ID, ROWS, TRACK_ID
from trackers.bytetrack.scalars.overlap import Box


@dataclass(slots=True, eq=False)
class Track:
    """The fields are the rows of `trackers.bytetrack.arrays.table`, in its order and units.

    Variances come in triples, one for centre x, centre y and height alike, one for the aspect.
    """

    x: float
    y: float
    aspect: float
    height: float
    x_velocity: float
    y_velocity: float
    aspect_velocity: float
    height_velocity: float
    variance: float
    aspect_variance: float
    covariance: float
    aspect_covariance: float
    velocity_variance: float
    aspect_velocity_variance: float
    track_id: int  # 0: not numbered yet
    class_id: int
    class_weight: float  # by how much score the class leads
    score: float
    stage: float
    born_at: float
    seen_at: float
    condemned: float
    reported: float

    def corners(self) -> Box:
        """X1 y1 x2 y2."""
        height = self.height
        width = self.aspect * height
        left, top = self.x - width * 0.5, self.y - height * 0.5
        return left, top, left + width, top + height


def to_tracks(table: Float64Array) -> list[Track]:
    """The columns of a table as tracks."""
    tracks = []
    for column in table.T.tolist():
        column[TRACK_ID], column[CLASS_ID] = int(column[TRACK_ID]), int(column[CLASS_ID])
        tracks.append(Track(*column))
    return tracks


def to_table(tracks: Iterable[Track]) -> Float64Array:
    """Tracks as the columns of a table."""
    columns = [astuple(track) for track in tracks]
    return np.array(columns, np.float64).T.copy() if columns else np.zeros((ROWS, 0))
