"""ByteTrack: every detection counts, the doubtful ones to continue tracks and the sure ones to begin them."""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array, IndexArray, to_corners
from trackers.bytetrack.arrays.association import associate
from trackers.bytetrack.arrays.kalman import Motion
from trackers.bytetrack.arrays.lifecycle import born, condemn, continued, doubles, missed, overdue
from trackers.bytetrack.arrays.table import (
    CLASS_ID,
    LOST,
    POSITION,
    REPORTED,
    SCORE,
    STAGE,
    TENTATIVE,
    TRACK_ID,
    TRACKED,
    empty_table,
)
from trackers.bytetrack.door import BoolArray, Observed, admit
from trackers.bytetrack.settings import ByteTrackSettings, Numbering, Removal
from trackers.bytetrack.timeline import Timeline
from trackers.detections import Detections
from trackers.tracks import Tracks


class ByteTracker:
    """Follows the objects of one camera.

    Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022. One thread at a
    time may use it; trackers share nothing. Memory is bounded by the tracks alive and the detections of one frame.
    """

    def __init__(self, settings: ByteTrackSettings) -> None:
        self._settings = settings
        self._motion = Motion(settings.noise)
        self._timeline = Timeline(settings.lost_patience_s, settings.frame_rate)
        self._table = empty_table()
        self._is_fresh = True
        self._last_id = 0
        self._ended: list[Float64Array] = []
        self._refused = 0

    @property
    def refused(self) -> int:
        """How many detections stayed out so far: not finite, empty, or corners the wrong way round."""
        return self._refused

    def update(self, detections: Detections, at_s: float) -> Tracks:
        """Go on by one frame, one without detections included.

        Args:
            detections: of this frame, in any order. Nothing of it is changed or kept.
            at_s: when the frame was captured, in seconds of any clock. A time equal to or before the last one counts
                as no time passed. A gap longer than the lost patience (and than twice the gap before) ends
                every track and begins afresh.

        Returns:
            The confirmed tracks seen in this frame, and the numbers of those that ended since the last update.

        Raises:
            ValueError: `at_s` is not a finite number.
        """
        elapsed, is_break = self._timeline.advance(at_s)
        if is_break:
            self.reset()
        observed = admit(detections, self._settings)
        self._refused += observed.refused
        if self._settings.removal is Removal.ON_TIME:
            self._end(overdue(self._table, self._timeline.now, self._timeline.patience))
        self._follow(observed, elapsed)
        return self._report()

    def reset(self) -> None:
        """Forget every track: the scene is another one. Numbers go on; what ended is told by the next update."""
        self._end(np.ones(self._table.shape[1], np.bool_))
        self._is_fresh = True

    def _follow(self, observed: Observed, elapsed: float) -> None:
        """Predict, associate, and let each track live on, be lost, go, or begin."""
        table, settings, now = self._table, self._settings, self._timeline.now
        was_lost = table[STAGE] == LOST
        confirmed = int(np.count_nonzero(table[STAGE] != TENTATIVE))
        self._motion.predict(table[:, :confirmed], elapsed)
        association = associate(table, observed, settings)
        continued(table, association, observed, self._motion, now)
        going = missed(table, association)
        if settings.removal is Removal.AS_PUBLISHED:
            going |= condemn(table, was_lost, now, self._timeline.patience)
        self._end(going)
        self._begin(observed, association.unclaimed & observed.is_strong)
        self._end(doubles(self._table, settings))

    def _begin(self, observed: Observed, chosen: BoolArray) -> None:
        """Add a track for each chosen detection; in a fresh scene it needs no second one to be believed."""
        stage = TRACKED if self._is_fresh else TENTATIVE
        self._is_fresh = False
        if not chosen.any():
            return
        newcomers = born(observed, chosen, self._motion, self._timeline.now, stage)
        if self._settings.numbering is Numbering.AT_BIRTH:
            self._number(newcomers, np.arange(newcomers.shape[1]))
        self._table = np.concatenate((self._table, newcomers), axis=1)

    def _end(self, going: BoolArray) -> None:
        """Drop these tracks; those known outside are told with the next report."""
        if not going.any():
            return
        self._ended.append(self._table[TRACK_ID, going & (self._table[REPORTED] > 0.0)])
        self._table = self._table[:, ~going]

    def _report(self) -> Tracks:
        table = self._table
        seen = (table[STAGE] == TRACKED).nonzero()[0]
        self._number(table, seen[table[TRACK_ID, seen] == 0.0])
        table[REPORTED, seen] = 1.0
        ended, self._ended = self._ended, []
        return Tracks(
            boxes=np.ascontiguousarray(to_corners(table[POSITION, seen]).T),
            scores=table[SCORE, seen],
            class_ids=table[CLASS_ID, seen].astype(np.int32),
            track_ids=table[TRACK_ID, seen].astype(np.int64),
            ended_ids=np.concatenate(ended).astype(np.int64) if ended else np.zeros(0, np.int64),
        )

    def _number(self, table: Float64Array, columns: IndexArray) -> None:
        """Give the next numbers to these columns, in order."""
        table[TRACK_ID, columns] = self._last_id + 1 + np.arange(len(columns))
        self._last_id += len(columns)
