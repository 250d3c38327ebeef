"""The one-to-one choice of pairs with the greatest total gain, for few pairs, in plain numbers."""

from __future__ import annotations

import math

import lap
import numpy as np

Pair = tuple[float, int, int]
"""Gain (above 0), row, column."""

# Up to so many ways to choose, trying all of them costs less than asking the solver once (measured).
FEW_WAYS = 300


def best_pairs(pairs: list[Pair]) -> list[Pair]:
    """Choose pairs so that no row and no column is used twice and the sum of gains is the greatest there is.

    What is left out gains nothing, so this is the linear assignment problem with a cost limit (cost below limit
    is gain above zero), without its (M + N) x (M + N) matrix. Pairs that belong to every best choice are taken
    first; what is disputed, mostly nothing, is solved.
    """
    chosen: list[Pair] = []
    while len(pairs) > 1:
        sure = _undisputed(pairs)
        if not sure:
            return chosen + settled(pairs)
        chosen += sure
        rows, columns = {row for _, row, _ in sure}, {column for _, _, column in sure}
        pairs = [pair for pair in pairs if pair[1] not in rows and pair[2] not in columns]
    return chosen + pairs


def settled(pairs: list[Pair]) -> list[Pair]:
    """The best choice among disputed pairs; of equally good ones always the same, in whatever order they come."""
    pairs = sorted(pairs, key=_place)
    by_row: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_row.setdefault(pair[1], []).append(pair)
    if math.prod(len(each) + 1 for each in by_row.values()) <= FEW_WAYS:
        return _searched(list(by_row.values()), frozenset())[1]
    return _solved(pairs)


def _place(pair: Pair) -> tuple[int, int]:
    return pair[1], pair[2]


def _undisputed(pairs: list[Pair]) -> list[Pair]:
    """Pairs that gain more than the best other pairs of their row and of their column do together.

    A choice without such a pair would become better by taking it in for whatever uses its row and its column.
    """
    best_of_row: dict[int, float] = {}
    next_of_row: dict[int, float] = {}
    best_of_column: dict[int, float] = {}
    next_of_column: dict[int, float] = {}
    for gain, row, column in pairs:
        if gain > best_of_row.get(row, 0.0):
            next_of_row[row] = best_of_row.get(row, 0.0)
            best_of_row[row] = gain
        elif gain > next_of_row[row]:
            next_of_row[row] = gain
        if gain > best_of_column.get(column, 0.0):
            next_of_column[column] = best_of_column.get(column, 0.0)
            best_of_column[column] = gain
        elif gain > next_of_column[column]:
            next_of_column[column] = gain
    return [
        (gain, row, column)
        for gain, row, column in pairs
        if gain == best_of_row[row] == best_of_column[column] and gain > next_of_row[row] + next_of_column[column]
    ]


def _searched(rows: list[list[Pair]], used: frozenset[int]) -> tuple[float, list[Pair]]:
    """Try every way: the first row with each of its pairs, or with none."""
    if not rows:
        return 0.0, []
    most, choice = _searched(rows[1:], used)
    for pair in rows[0]:
        if pair[2] not in used:
            total, others = _searched(rows[1:], used | {pair[2]})
            if total + pair[0] > most:
                most, choice = total + pair[0], [pair, *others]
    return most, choice


def _solved(pairs: list[Pair]) -> list[Pair]:
    """By Jonker and Volgenant's algorithm on a square matrix (lap's cheapest way in)."""
    rows = {row: number for number, row in enumerate(dict.fromkeys(pair[1] for pair in pairs))}
    columns = {column: number for number, column in enumerate(sorted({pair[2] for pair in pairs}))}
    costs = np.ones((max(len(rows), len(columns)),) * 2)
    for gain, row, column in pairs:
        costs[rows[row], columns[column]] -= gain
    column_of_row = lap.lapjv(costs, extend_cost=False, return_cost=False)[0].tolist()
    return [pair for pair in pairs if column_of_row[rows[pair[1]]] == columns[pair[2]]]
