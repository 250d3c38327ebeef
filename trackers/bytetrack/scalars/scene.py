"""The tracks of a scene as a list, updated one by one."""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array
from trackers.bytetrack.arrays.lifecycle import ROUNDING
from trackers.bytetrack.arrays.table import LOST, TENTATIVE, TRACKED
from trackers.bytetrack.ledger import Ledger
from trackers.bytetrack.scalars.association import Associator, Match
from trackers.bytetrack.scalars.door import Door, Observed
from trackers.bytetrack.scalars.kalman import Motion
from trackers.bytetrack.scalars.lifecycle import Doubles, outvote
from trackers.bytetrack.scalars.track import Track, to_table
from trackers.bytetrack.scene import Moment
from trackers.bytetrack.settings import ByteTrackSettings, Numbering, Removal
from trackers.detections import Detections
from trackers.tracks import Tracks


class ScalarScene:
    """Costs some ten microseconds an object; see `trackers.bytetrack.arrays.scene` for what each step does and why."""

    def __init__(self, settings: ByteTrackSettings, patience: float, ledger: Ledger, tracks: list[Track]) -> None:
        """Go on with these tracks.

        Args:
            settings: all parameters.
            patience: of lost tracks, in the tracker's units of time.
            ledger: shared with whatever computes these tracks before and after.
            tracks: this scene's own from now on.
        """
        self._settings = settings
        self._door = Door(settings)
        self._associator = Associator(settings)
        self._motion = Motion(settings.noise)
        self._doubles = Doubles(settings)
        self._patience = patience
        self._ledger = ledger
        self._tracks = tracks

    def __len__(self) -> int:
        return len(self._tracks)

    def update(self, detections: Detections, moment: Moment) -> Tracks:
        """Predict, associate, and let each track live on, be lost, go, or begin."""
        observed = self._door.admit(detections)
        self._ledger.refused += observed.refused
        if self._settings.removal is Removal.ON_TIME:
            self._end(
                {id(track) for track in self._tracks if track.stage == LOST and self._is_overdue(track, moment.now)}
            )
        self._follow(observed, moment)
        return self._report()

    def clear(self) -> None:
        """End every track."""
        self._end({id(track) for track in self._tracks})

    def table(self) -> Float64Array:
        """The tracks as a table, the caller's own."""
        return to_table(self._tracks)

    def _follow(self, observed: Observed, moment: Moment) -> None:
        tracks, now = self._tracks, moment.now
        was_lost = [track for track in tracks if track.stage == LOST]
        self._motion.predict([track for track in tracks if track.stage != TENTATIVE], moment.elapsed)
        matches = self._associator.associate(tracks, observed)
        over = self._missed(matches)
        self._continue(matches, observed, now)
        if self._settings.removal is Removal.AS_PUBLISHED:
            over |= self._condemn(was_lost, now)
        self._end(over)
        self._begin(observed, {detection for _, detection in matches}, now)
        self._end(self._doubles.among(self._tracks))

    def _missed(self, matches: list[Match]) -> set[int]:
        """Mark followed tracks without a detection as lost; the tentative ones are over."""
        matched = {number for number, _ in matches}
        missed = [track for number, track in enumerate(self._tracks) if number not in matched]
        for track in missed:
            if track.stage == TRACKED:
                track.stage = LOST
        return {id(track) for track in missed if track.stage == TENTATIVE}

    def _continue(self, matches: list[Match], observed: Observed, now: float) -> None:
        tracks, correct = self._tracks, self._motion.correct
        measured, scores, class_ids = observed.measured, observed.scores, observed.class_ids
        for number, detection in matches:
            track = tracks[number]
            correct(track, measured[detection])
            track.score = scores[detection]
            track.seen_at = now
            track.stage = TRACKED
            if class_ids[detection] == track.class_id:
                track.class_weight += track.score
            else:
                outvote(track, class_ids[detection])

    def _condemn(self, was_lost: list[Track], now: float) -> set[int]:
        """The published code's way of removal: those that go now; overdue ones are marked."""
        going = {id(track) for track in self._tracks if track.stage == LOST and track.condemned}
        for track in was_lost:
            if self._is_overdue(track, now):
                track.condemned = 1.0
        return going

    def _is_overdue(self, track: Track, now: float) -> bool:
        return track.stage == LOST and now - track.seen_at > self._patience + ROUNDING

    def _begin(self, observed: Observed, claimed: set[int], now: float) -> None:
        stage = TRACKED if self._ledger.is_fresh else TENTATIVE
        self._ledger.is_fresh = False
        for number in observed.strong:
            if number not in claimed:
                class_id, score = observed.class_ids[number], observed.scores[number]
                measured = observed.measured[number]
                track = self._motion.started(measured, class_id=class_id, score=score, stage=stage, now=now)
                if self._settings.numbering is Numbering.AT_BIRTH:
                    track.track_id = self._ledger.next_id()
                self._tracks.append(track)

    def _end(self, going: set[int]) -> None:
        """Drop the tracks of these identities (`id`); those known outside are told with the next report."""
        if going:
            self._ledger.end(track.track_id for track in self._tracks if id(track) in going and track.reported)
            self._tracks = [track for track in self._tracks if id(track) not in going]

    def _report(self) -> Tracks:
        seen = [track for track in self._tracks if track.stage == TRACKED]
        for track in seen:
            if track.track_id == 0:
                track.track_id = self._ledger.next_id()
            track.reported = 1.0
        flat: list[float] = []
        for track in seen:
            flat += track.corners()
        return Tracks(
            boxes=np.array(flat).reshape(-1, 4),
            scores=np.array([track.score for track in seen]),
            class_ids=np.array([track.class_id for track in seen], np.int32),
            track_ids=np.array([track.track_id for track in seen], np.int64),
            ended_ids=np.array(self._ledger.take_ended(), np.int64),
        )
