"""The life of a track, track by track; see `trackers.bytetrack.arrays.lifecycle` for the rules."""

from __future__ import annotations

from trackers.bytetrack.arrays.table import LOST
from trackers.bytetrack.scalars.door import groups_of
from trackers.bytetrack.scalars.overlap import iou
from trackers.bytetrack.scalars.track import Track
from trackers.bytetrack.settings import ByteTrackSettings


def outvote(track: Track, class_id: int) -> None:
    """Let the detection whose score the track now has vote for another class than the track's."""
    lead = track.class_weight - track.score
    if lead < 0.0:
        track.class_id = class_id
    track.class_weight = abs(lead)


class Doubles:
    """Finds tracks that follow what another one follows."""

    def __init__(self, settings: ByteTrackSettings) -> None:
        self._settings = settings
        self._groups = groups_of(settings)

    def among(self, tracks: list[Track]) -> set[int]:
        """Identities (`id`): of a lost and a followed track on one object the younger."""
        lost = [track for track in tracks if track.stage == LOST]
        double: set[int] = set()
        if not lost:
            return double
        px = self._settings.inclusive_px
        others = [(track, track.corners()) for track in tracks if track.stage != LOST]
        for old in lost:
            corners = left, top, right, bottom = old.corners()
            for track, box in others:
                if box[0] >= right + px or left >= box[2] + px or box[1] >= bottom + px or top >= box[3] + px:
                    continue
                if iou(box, corners, px) * self._agreement(track, old) > self._settings.duplicate_iou:
                    is_older = track.seen_at - track.born_at > old.seen_at - old.born_at
                    double.add(id(old if is_older else track))
        return double

    def _agreement(self, track: Track, other: Track) -> float:
        groups = self._groups
        is_same = groups.get(track.class_id, track.class_id) == groups.get(other.class_id, other.class_id)
        return 1.0 if is_same else self._settings.other_class_weight
