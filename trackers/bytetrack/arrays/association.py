"""Which detection continues which track: high detections first, then low ones, then tracks on probation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trackers.boxes import Float64Array, IndexArray, Overlaps, overlaps, to_corners
from trackers.bytetrack.arrays.assignment import best_pairs
from trackers.bytetrack.arrays.door import BoolArray, Observed
from trackers.bytetrack.arrays.ground import Ground
from trackers.bytetrack.arrays.table import CLASS_ID, POSITION, STAGE, TENTATIVE, TRACKED
from trackers.bytetrack.settings import ByteTrackSettings


@dataclass(frozen=True, eq=False)
class Association:
    """The outcome of all stages; no track and no detection occurs twice.

    Attributes:
        tracks: (K,) columns of the table that are continued.
        detections: (K,) the detection that continues each.
        unclaimed: (N,) bool; high detections that continue nothing.
    """

    tracks: IndexArray
    detections: IndexArray
    unclaimed: BoolArray


def associate(
    table: Float64Array, observed: Observed, settings: ByteTrackSettings, ground: Ground | None = None
) -> Association:
    """Match predicted tracks with the detections of the frame, in ByteTrack's three stages.

    1. Confirmed tracks, lost ones included, with high detections, by IoU times score.
    2. Those followed until now and left over, with low detections, by IoU.
    3. Tentative tracks with the high detections left over, by IoU times score.

    With the ground known, half of what counts as IoU here is how well the feet agree.
    """
    pairs = overlaps(to_corners(table[POSITION]), observed.corners, settings.inclusive_px)
    if ground is not None:
        pairs = ground.compared(table, observed, pairs)
    similarity = pairs.iou * agreement(table[CLASS_ID, pairs.rows], observed.class_ids[pairs.columns], settings)
    fused = similarity * observed.scores[pairs.columns]
    is_tentative, is_followed = table[STAGE] == TENTATIVE, table[STAGE] == TRACKED
    matching = _Matching(pairs, np.ones(table.shape[1], np.bool_), np.ones(len(observed.scores), np.bool_))
    matching.extend(~is_tentative, observed.is_high, fused, settings.high_cost_limit)
    matching.extend(is_followed, observed.is_low, similarity, settings.low_cost_limit)
    matching.extend(is_tentative, observed.is_high, fused, settings.tentative_cost_limit)
    chosen = np.concatenate(matching.chosen)
    return Association(pairs.rows[chosen], pairs.columns[chosen], observed.is_high & matching.free_detections)


def agreement(
    class_ids: npt.NDArray[Any], others: npt.NDArray[Any], settings: ByteTrackSettings
) -> Float64Array | float:
    """What pairs of these classes are worth: 1 within a class or group, `other_class_weight` across."""
    weight = settings.other_class_weight
    if weight == 1.0:
        return 1.0
    same = _grouped(class_ids, settings) == _grouped(others, settings)
    worth: Float64Array = np.where(same, 1.0, weight)
    return worth


@dataclass(eq=False)
class _Matching:
    """The pairs chosen so far, and who is still free."""

    pairs: Overlaps
    free_tracks: BoolArray
    free_detections: BoolArray
    chosen: list[IndexArray] = field(default_factory=list)

    def extend(self, tracks: BoolArray, detections: BoolArray, similarity: Float64Array, cost_limit: float) -> None:
        """Choose among the free ones of these tracks and detections; a cost is 1 - similarity."""
        rows, columns, _ = self.pairs
        gains = similarity - (1.0 - cost_limit)
        allowed = gains > 0.0
        allowed &= (tracks & self.free_tracks)[rows]
        allowed &= (detections & self.free_detections)[columns]
        open_pairs = allowed.nonzero()[0]
        if not open_pairs.size:
            self.chosen.append(open_pairs)
            return
        best = open_pairs[best_pairs(rows[open_pairs], columns[open_pairs], gains[open_pairs])]
        self.free_tracks[rows[best]] = False
        self.free_detections[columns[best]] = False
        self.chosen.append(best)


def _grouped(class_ids: npt.NDArray[Any], settings: ByteTrackSettings) -> npt.NDArray[Any]:
    """Class ids with every member of a group replaced by the group's least one."""
    grouped = class_ids
    for members in settings.class_groups:
        grouped = np.where(np.isin(grouped, list(members)), min(members), grouped)
    return grouped
