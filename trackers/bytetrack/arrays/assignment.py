"""The one-to-one choice of pairs with the greatest total gain, for many pairs at once."""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array, IndexArray
from trackers.bytetrack import assignment

# Up to so many disputed pairs, plain numbers are quicker than arrays (measured).
FEW_PAIRS = 100


def best_pairs(rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    """Choose pairs so that no row and no column is used twice and the sum of gains is the greatest there is.

    Pairs whose row and column have no other are taken at once, then those that belong to every best choice;
    what is left, mostly little, goes to `trackers.bytetrack.assignment`, which does the same pair by pair.

    Args:
        rows: (K,) row of each pair.
        columns: (K,) column of each pair.
        gains: (K,) float64, above 0.

    Returns:
        Indices into the K pairs, in no promised order.
    """
    is_alone = np.bincount(rows)[rows] == 1
    is_alone &= np.bincount(columns)[columns] == 1
    chosen: list[IndexArray] = [is_alone.nonzero()[0]]
    left = (~is_alone).nonzero()[0]
    while left.size > FEW_PAIRS:
        sure = left[_undisputed(rows[left], columns[left], gains[left])]
        if not sure.size:
            break
        chosen.append(sure)
        left = left[~(_among(rows[left], rows[sure]) | _among(columns[left], columns[sure]))]
    if left.size:
        chosen.append(_one_by_one(left, rows[left], columns[left], gains[left]))
    return np.concatenate(chosen)


def _one_by_one(left: IndexArray, rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    pairs = list(zip(gains.tolist(), rows.tolist(), columns.tolist(), strict=True))
    index_of = {(row, column): index for index, (_, row, column) in zip(left.tolist(), pairs, strict=True)}
    return np.array([index_of[row, column] for _, row, column in assignment.best_pairs(pairs)], np.intp)


def _undisputed(rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    """As `trackers.bytetrack.assignment` has it."""
    sure: IndexArray = (gains > _rivals(rows, gains) + _rivals(columns, gains)).nonzero()[0]
    return sure


def _rivals(owners: IndexArray, gains: Float64Array) -> Float64Array:
    """(K,): for the best pair of each owner the gain of its second best (0 if alone), for the others infinity."""
    order = np.lexsort((gains, owners))
    by_owner = owners[order]
    follows = np.zeros(len(order) + 1, dtype=np.bool_)  # the same owner as the one before
    np.equal(by_owner[1:], by_owner[:-1], out=follows[1:-1])
    best = (~follows[1:]).nonzero()[0]
    rivals = np.full(len(order), np.inf)
    rivals[order[best]] = gains[order[best - 1]] * follows[best]
    return rivals


def _among(owners: IndexArray, taken: IndexArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    used = np.zeros(int(owners.max()) + 1, dtype=np.bool_)
    used[taken] = True
    among: np.ndarray[tuple[int], np.dtype[np.bool_]] = used[owners]
    return among
