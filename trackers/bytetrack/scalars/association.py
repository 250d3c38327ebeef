"""Which detection continues which track, pair by pair, in the stages of `trackers.bytetrack.arrays.association`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trackers.bytetrack.arrays.table import TENTATIVE, TRACKED
from trackers.bytetrack.scalars.assignment import Pair, best_pairs
from trackers.bytetrack.scalars.door import Observed, groups_of
from trackers.bytetrack.scalars.overlap import iou
from trackers.bytetrack.scalars.track import Track
from trackers.bytetrack.settings import ByteTrackSettings

Match = tuple[int, int]
"""Number of the track, number of the detection."""


class _Candidates(NamedTuple):
    """Pairs that may be chosen, by stage; gains are above 0."""

    high: list[Pair]
    low: list[Pair]
    tentative: list[Pair]


class Associator:
    """Matches predicted tracks with the detections of a frame, in ByteTrack's three stages."""

    def __init__(self, settings: ByteTrackSettings) -> None:
        self._inclusive_px = settings.inclusive_px
        self._other_class_weight = settings.other_class_weight
        self._groups = groups_of(settings)
        self._least_high = 1.0 - settings.high_cost_limit
        self._least_low = 1.0 - settings.low_cost_limit
        self._least_tentative = 1.0 - settings.tentative_cost_limit

    def associate(self, tracks: list[Track], observed: Observed) -> list[Match]:
        """The matches of all stages; no track and no detection occurs twice."""
        candidates = self._candidates(tracks, observed)
        matches = best_pairs(candidates.high)
        if candidates.low:
            taken = {track for track, _ in matches}
            matches += best_pairs([pair for pair in candidates.low if pair[1] not in taken])
        if candidates.tentative:
            taken = {detection for _, detection in matches}
            matches += best_pairs([pair for pair in candidates.tentative if pair[2] not in taken])
        return matches

    def _candidates(self, tracks: list[Track], observed: Observed) -> _Candidates:
        candidates = _Candidates([], [], [])
        for row, column, similarity, score, is_high in self._similar(tracks, observed):
            stage = tracks[row].stage
            if not is_high:
                gain, pairs = similarity - self._least_low, candidates.low
                if stage != TRACKED:
                    continue
            elif stage == TENTATIVE:
                gain, pairs = similarity * score - self._least_tentative, candidates.tentative
            else:
                gain, pairs = similarity * score - self._least_high, candidates.high
            if gain > 0.0:
                pairs.append((gain, row, column))
        return candidates

    def _similar(self, tracks: list[Track], observed: Observed) -> Iterator[tuple[int, int, float, float, bool]]:
        """Track, detection, similarity, score and whether high, of every pair that overlaps."""
        px, weight, groups = self._inclusive_px, self._other_class_weight, self._groups
        for row, track in enumerate(tracks):
            corners = left, top, right, bottom = track.corners()
            far_x, far_y = right + px, bottom + px
            group = groups.get(track.class_id, track.class_id)
            for column, box, score, other_group, is_high in observed.contenders:
                x1, y1, x2, y2 = box
                # Most pairs are far apart: seeing that here costs less than a call.
                if x1 < far_x and left < x2 + px and y1 < far_y and top < y2 + px:
                    similarity = iou(corners, box, px)
                    yield row, column, similarity if group == other_group else similarity * weight, score, is_high
