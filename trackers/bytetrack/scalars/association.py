"""Which detection continues which track, pair by pair, in the stages of `trackers.bytetrack.arrays.association`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from trackers.bytetrack.arrays.table import TENTATIVE, TRACKED
from trackers.bytetrack.assignment import Pair, best_pairs
from trackers.bytetrack.scalars.door import Contender, Observed, groups_of
from trackers.bytetrack.scalars.overlap import iou
from trackers.bytetrack.scalars.track import Track
from trackers.bytetrack.settings import ByteTrackSettings

Match = tuple[int, int]
"""Number of the track, number of the detection."""
Numbered = Iterable[tuple[int, Track]]


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
        reach = observed.widest + self._inclusive_px
        confirmed = [each for each in enumerate(tracks) if each[1].stage != TENTATIVE]
        chosen = best_pairs(self._pairs(confirmed, observed.high, reach, self._least_high, is_fused=True))
        if observed.low:
            taken = {track for _, track, _ in chosen}
            left = [each for each in confirmed if each[1].stage == TRACKED and each[0] not in taken]
            chosen += best_pairs(self._pairs(left, observed.low, reach, self._least_low, is_fused=False))
        if len(confirmed) < len(tracks):
            used = {detection for _, _, detection in chosen}
            free = [contender for contender in observed.high if contender[1] not in used]
            tentative = [each for each in enumerate(tracks) if each[1].stage == TENTATIVE]
            chosen += best_pairs(self._pairs(tentative, free, reach, self._least_tentative, is_fused=True))
        return [(track, detection) for _, track, detection in chosen]

    def _pairs(
        self, tracks: Numbered, contenders: Sequence[Contender], reach: float, least: float, *, is_fused: bool
    ) -> list[Pair]:
        """Pairs of these whose similarity, times the score where fused, is above the least."""
        px, weight, groups = self._inclusive_px, self._other_class_weight, self._groups
        lefts = [contender[0] for contender in contenders]
        pairs: list[Pair] = []
        for row, track in tracks:
            corners = left, top, right, bottom = track.corners()
            class_id, far_x, far_y = track.class_id, right + px, bottom + px
            # Contenders come from left to right: those that end before this track begins are stepped over at once.
            for index in range(bisect_left(lefts, left - reach), bisect_left(lefts, far_x)):
                _, column, box, score, other_id = contenders[index]
                if left >= box[2] + px or box[1] >= far_y or top >= box[3] + px:
                    continue
                gain = iou(corners, box, px)
                if other_id != class_id and groups.get(other_id, other_id) != groups.get(class_id, class_id):
                    gain *= weight
                gain = gain * score - least if is_fused else gain - least
                if gain > 0.0:
                    pairs.append((gain, row, column))
        return pairs
