"""The life of a track, track by track; see `trackers.bytetrack.arrays.lifecycle` for the rules."""

from __future__ import annotations

from trackers.bytetrack.arrays.table import LOST
from trackers.bytetrack.scalars.door import groups_of
from trackers.bytetrack.scalars.overlap import iou
from trackers.bytetrack.scalars.track import Track
from trackers.bytetrack.settings import ByteTrackSettings


def vote(track: Track, class_id: int) -> None:
    """Let the detection whose score the track now has vote for its class."""
    if track.class_id == class_id:
        track.class_weight += track.score
    else:
        lead = track.class_weight - track.score
        if lead < 0.0:
            track.class_id = class_id
        track.class_weight = abs(lead)


def doubles(tracks: list[Track], settings: ByteTrackSettings) -> set[int]:
    """Identities (`id`) of tracks that follow what another one follows: of a lost and a followed track the younger."""
    lost = [track for track in tracks if track.stage == LOST]
    if not lost:
        return set()
    double: set[int] = set()
    groups, px = groups_of(settings), settings.inclusive_px
    others = [(track, track.corners()) for track in tracks if track.stage != LOST]
    for old in lost:
        corners, group = old.corners(), groups.get(old.class_id, old.class_id)
        for track, box in others:
            similarity = iou(box, corners, px)
            if groups.get(track.class_id, track.class_id) != group:
                similarity *= settings.other_class_weight
            if similarity > settings.duplicate_iou:
                is_older = track.seen_at - track.born_at > old.seen_at - old.born_at
                double.add(id(old if is_older else track))
    return double
