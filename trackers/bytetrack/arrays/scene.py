"""The tracks of a scene as one table, updated all at once."""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array, to_corners
from trackers.bytetrack.arrays.association import associate
from trackers.bytetrack.arrays.door import BoolArray, Observed, admit
from trackers.bytetrack.arrays.ground import Ground
from trackers.bytetrack.arrays.kalman import Motion
from trackers.bytetrack.arrays.lifecycle import born, condemn, continued, doubles, missed, overdue
from trackers.bytetrack.arrays.table import (
    CLASS_ID,
    LOST,
    POSITION,
    REPORTED,
    ROWS,
    SCORE,
    STAGE,
    TENTATIVE,
    TRACK_ID,
    TRACKED,
)
from trackers.bytetrack.ledger import Ledger
from trackers.bytetrack.scene import Moment
from trackers.bytetrack.settings import ByteTrackSettings, Numbering, Removal
from trackers.detections import Detections
from trackers.tracks import Tracks


class ArrayScene:
    """Costs a few hundred microseconds for any small number of objects, and little more for a thousand."""

    def __init__(self, settings: ByteTrackSettings, patience: float, ledger: Ledger, table: Float64Array) -> None:
        """Go on with these tracks.

        Args:
            settings: all parameters.
            patience: of lost tracks, in the tracker's units of time.
            ledger: shared with whatever computes these tracks before and after.
            table: the tracks; this scene's own from now on.
        """
        self._settings = settings
        self._motion = Motion(settings.noise)
        self._patience = patience
        self._ledger = ledger
        plane = settings.ground_plane
        self._ground = None if plane is None else Ground(plane, settings.frame_rate)
        self._table = self._on_ground(table)

    def __len__(self) -> int:
        return int(self._table.shape[1])

    def update(self, detections: Detections, moment: Moment) -> Tracks:
        """Predict, associate, and let each track live on, be lost, go, or begin."""
        observed = admit(detections, self._settings)
        self._ledger.refused += observed.refused
        if self._settings.removal is Removal.ON_TIME:
            self._end(overdue(self._table, moment.now, self._patience))
        self._follow(observed, moment)
        return self._report()

    def clear(self) -> None:
        """End every track."""
        self._end(np.ones(len(self), np.bool_))

    def table(self) -> Float64Array:
        """The tracks, the caller's own."""
        return self._table[:ROWS].copy()

    def _follow(self, observed: Observed, moment: Moment) -> None:
        table, settings = self._table, self._settings
        was_lost = table[STAGE] == LOST
        confirmed = int(np.count_nonzero(table[STAGE] != TENTATIVE))
        if self._ground is not None:
            self._ground.predict(table, moment.elapsed)
        self._motion.predict(table[:, :confirmed], moment.elapsed)
        association = associate(table, observed, settings, self._ground)
        continued(table, association, observed, self._motion, moment.now)
        if self._ground is not None:
            self._ground.correct(table, association.tracks, observed.centred[:, association.detections])
        going = missed(table, association)
        if settings.removal is Removal.AS_PUBLISHED:
            going |= condemn(table, was_lost, moment.now, self._patience)
        self._end(going)
        self._begin(observed, association.unclaimed & observed.is_strong, moment.now)
        self._end(doubles(self._table, settings))

    def _begin(self, observed: Observed, chosen: BoolArray, now: float) -> None:
        """Add a track for each chosen detection; in a fresh scene it needs no second one to be believed."""
        stage = TRACKED if self._ledger.is_fresh else TENTATIVE
        self._ledger.is_fresh = False
        if not chosen.any():
            return
        newcomers = born(observed, chosen, self._motion, now, stage)
        if self._settings.numbering is Numbering.AT_BIRTH:
            newcomers[TRACK_ID] = [self._ledger.next_id() for _ in range(newcomers.shape[1])]
        self._table = np.concatenate((self._table, self._on_ground(newcomers)), axis=1)

    def _on_ground(self, table: Float64Array) -> Float64Array:
        """With what is known of the ground, if it is: the tracks' ground filters, begun where their boxes are."""
        return table if self._ground is None else self._ground.joined(table)

    def _end(self, going: BoolArray) -> None:
        """Drop these tracks; those known outside are told with the next report."""
        if not going.any():
            return
        self._ledger.end(map(int, self._table[TRACK_ID, going & (self._table[REPORTED] > 0.0)].tolist()))
        self._table = self._table[:, ~going]

    def _report(self) -> Tracks:
        table = self._table
        seen = (table[STAGE] == TRACKED).nonzero()[0]
        unnumbered = seen[table[TRACK_ID, seen] == 0.0]
        table[TRACK_ID, unnumbered] = [self._ledger.next_id() for _ in range(len(unnumbered))]
        table[REPORTED, seen] = 1.0
        return Tracks(
            boxes=np.ascontiguousarray(to_corners(table[POSITION, seen]).T),
            scores=table[SCORE, seen],
            class_ids=table[CLASS_ID, seen].astype(np.int32),
            track_ids=table[TRACK_ID, seen].astype(np.int64),
            ended_ids=np.array(self._ledger.take_ended(), np.int64),
        )
