"""The life of a track: tentative, confirmed, lost, removed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trackers.boxes import Float64Array, overlaps, to_corners
from trackers.bytetrack.arrays.association import Association, agreement
from trackers.bytetrack.arrays.door import BoolArray, Observed
from trackers.bytetrack.arrays.kalman import Motion
from trackers.bytetrack.arrays.table import (
    BORN_AT,
    CLASS_ID,
    CLASS_WEIGHT,
    CONDEMNED,
    LOST,
    POSITION,
    ROWS,
    SCORE,
    SEEN_AT,
    STAGE,
    TENTATIVE,
    TRACKED,
)
from trackers.bytetrack.settings import ByteTrackSettings

ROUNDING = 1e-6  # thirty steps of a thirtieth are not longer than one


def continued(table: Float64Array, association: Association, observed: Observed, motion: Motion, now: float) -> None:
    """Draw matched tracks to their detections, in place: each is confirmed and followed from now on."""
    tracks, detections = association.tracks, association.detections
    hit = table[:, tracks]
    motion.correct(hit, observed.centred[:, detections])
    hit[SCORE] = observed.scores[detections]
    hit[SEEN_AT] = now
    hit[STAGE] = TRACKED
    _vote(hit, observed.class_ids[detections], hit[SCORE])
    table[:, tracks] = hit


def missed(table: Float64Array, association: Association) -> BoolArray:
    """Mark followed tracks without a detection as lost, in place; (M,) the tentative ones, which are over."""
    is_missed = np.ones(table.shape[1], np.bool_)
    is_missed[association.tracks] = False
    table[STAGE, is_missed & (table[STAGE] == TRACKED)] = LOST
    over: BoolArray = is_missed & (table[STAGE] == TENTATIVE)
    return over


def overdue(table: Float64Array, now: float, patience: float) -> BoolArray:
    """(M,) lost tracks whose patience is over."""
    late: BoolArray = (table[STAGE] == LOST) & (now - table[SEEN_AT] > patience + ROUNDING)
    return late


def condemn(table: Float64Array, was_lost: BoolArray, now: float, patience: float) -> BoolArray:
    """The published code's way of removal: (M,) tracks that go now; overdue ones are marked, in place.

    A lost track whose patience is over may still be found at the next update. If it is, it stays marked, and
    goes as soon as it is lost again.
    """
    going: BoolArray = (table[STAGE] == LOST) & (table[CONDEMNED] > 0.0)
    table[CONDEMNED, was_lost & overdue(table, now, patience)] = 1.0
    return going


def doubles(table: Float64Array, settings: ByteTrackSettings) -> BoolArray:
    """(M,) tracks that follow what another one follows: of a lost and a followed track the younger goes.

    Age is the time from birth to the last detection; of two equally old ones the followed one goes.
    """
    double = np.zeros(table.shape[1], np.bool_)
    is_lost = table[STAGE] == LOST
    lost, others = is_lost.nonzero()[0], (~is_lost).nonzero()[0]
    if not lost.size or not others.size:
        return double
    corners = to_corners(table[POSITION])
    pairs = overlaps(corners[:, others], corners[:, lost], settings.inclusive_px)
    first, second = others[pairs.rows], lost[pairs.columns]
    similarity = pairs.iou * agreement(table[CLASS_ID, first], table[CLASS_ID, second], settings)
    close = similarity > settings.duplicate_iou
    first, second = first[close], second[close]
    age = table[SEEN_AT] - table[BORN_AT]
    is_older = age[first] > age[second]
    double[second[is_older]] = True
    double[first[~is_older]] = True
    return double


def born(observed: Observed, chosen: BoolArray, motion: Motion, now: float, stage: float) -> Float64Array:
    """(ROWS, K) new tracks, one for each chosen detection, in order of detections, without numbers."""
    table = np.zeros((ROWS, int(np.count_nonzero(chosen))))
    motion.start(table, observed.centred[:, chosen])
    table[CLASS_ID] = observed.class_ids[chosen]
    table[SCORE] = table[CLASS_WEIGHT] = observed.scores[chosen]
    table[BORN_AT] = table[SEEN_AT] = now
    table[STAGE] = stage
    return table


def _vote(table: Float64Array, class_ids: npt.NDArray[np.int32], scores: Float64Array) -> None:
    """Let each detection vote for its class with its score, in place.

    A track keeps one class and its lead (Boyer and Moore, "MJRTY: a fast majority vote algorithm", 1991): exactly
    the class with the greater sum of scores when two compete, and any class with more than half of it when more do.
    """
    lead = table[CLASS_WEIGHT]
    lead += np.where(table[CLASS_ID] == class_ids, scores, -scores)
    overtaken = lead < 0.0
    table[CLASS_ID, overtaken] = class_ids[overtaken]
    np.abs(lead, out=lead)
