"""The one-to-one choice of pairs with the greatest total gain, for few pairs."""

from __future__ import annotations

import numpy as np

from trackers.bytetrack.arrays.assignment import solved

Pair = tuple[float, int, int]
"""Gain, row, column."""


def best_pairs(pairs: list[Pair]) -> list[tuple[int, int]]:
    """Choose as `trackers.bytetrack.arrays.assignment.best_pairs` does, in the same rounds; rows and columns."""
    chosen: list[tuple[int, int]] = []
    while pairs:
        if len(pairs) == 1:
            chosen.append(pairs[0][1:])
            break
        sure = _undisputed(pairs)
        if not sure:
            chosen += _solved(pairs)
            break
        chosen += sure
        used_rows, used_columns = {row for row, _ in sure}, {column for _, column in sure}
        pairs = [pair for pair in pairs if pair[1] not in used_rows and pair[2] not in used_columns]
    return chosen


def _undisputed(pairs: list[Pair]) -> list[tuple[int, int]]:
    """Pairs that gain more than the best other pairs of their row and of their column do together."""
    best_of_row: dict[int, float] = {}
    best_of_column: dict[int, float] = {}
    next_of_row: dict[int, float] = {}
    next_of_column: dict[int, float] = {}
    for gain, row, column in pairs:
        best = best_of_row.get(row, 0.0)
        best_of_row[row], next_of_row[row] = (gain, best) if gain > best else (best, max(gain, next_of_row[row]))
        best = best_of_column.get(column, 0.0)
        best_of_column[column], next_of_column[column] = (
            (gain, best) if gain > best else (best, max(gain, next_of_column[column]))
        )
    # Best of its row and of its column, as it gains more than the next of both.
    return [
        (row, column)
        for gain, row, column in pairs
        if gain == best_of_row[row] == best_of_column[column] and gain > next_of_row[row] + next_of_column[column]
    ]


def _solved(pairs: list[Pair]) -> list[tuple[int, int]]:
    gains, rows, columns = (np.array(each) for each in zip(*pairs, strict=True))
    return [pairs[index][1:] for index in solved(rows, columns, gains).tolist()]
