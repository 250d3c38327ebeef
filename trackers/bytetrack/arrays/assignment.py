"""The one-to-one choice of pairs with the greatest total gain."""

from __future__ import annotations

import lap
import numpy as np

from trackers.boxes import Float64Array, IndexArray


def best_pairs(rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    """Choose pairs so that no row and no column is used twice and the sum of gains is the greatest there is.

    What is left out gains nothing, so this is the linear assignment problem with a cost limit (cost below limit
    is gain above zero), without its (M + N) x (M + N) matrix. Pairs that belong to every best choice are taken
    first; the solver sees only what is disputed, which mostly is nothing.

    Args:
        rows: (K,) row of each pair.
        columns: (K,) column of each pair.
        gains: (K,) float64, above 0.

    Returns:
        Indices into the K pairs, in no promised order.
    """
    if len(gains) < 2:
        return np.arange(len(gains))
    chosen: list[IndexArray] = []
    left = np.arange(len(gains))
    while left.size:
        sure = left[_undisputed(rows[left], columns[left], gains[left])]
        if not sure.size:
            chosen.append(left[solved(rows[left], columns[left], gains[left])])
            break
        chosen.append(sure)
        left = left[~(_among(rows[left], rows[sure]) | _among(columns[left], columns[sure]))]
    return np.concatenate(chosen)


def _undisputed(rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    """Pairs that gain more than the best other pairs of their row and of their column do together.

    A choice without such a pair would become better by taking it in for whatever uses its row and its column.
    """
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


def solved(rows: IndexArray, columns: IndexArray, gains: Float64Array) -> IndexArray:
    """The disputed rest, by Jonker and Volgenant's algorithm on a square matrix (lap's cheapest way in)."""
    row_names, row_numbers = np.unique(rows, return_inverse=True)
    column_names, column_numbers = np.unique(columns, return_inverse=True)
    side = max(len(row_names), len(column_names))
    costs = np.ones((side, side))
    costs[row_numbers, column_numbers] -= gains
    column_of_row, _ = lap.lapjv(costs, extend_cost=False, return_cost=False)
    chosen: IndexArray = (column_of_row[row_numbers] == column_numbers).nonzero()[0]
    return chosen
