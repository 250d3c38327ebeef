"""The best one-to-one choice of pairs."""

from __future__ import annotations

from itertools import permutations

import lap
import numpy as np
import numpy.typing as npt
import pytest

from trackers.bytetrack.arrays.assignment import best_pairs

Gains = npt.NDArray[np.float64]


def chosen_gain(gains: Gains) -> float:
    """What `best_pairs` makes of the positive entries; fails when a row or column is used twice."""
    rows, columns = (gains > 0.0).nonzero()
    chosen = best_pairs(rows, columns, gains[rows, columns])
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    return float(gains[rows[chosen], columns[chosen]].sum())


def greatest_gain(gains: Gains) -> float:
    """Every way of matching, tried."""
    square = np.zeros((max(gains.shape),) * 2)
    square[: gains.shape[0], : gains.shape[1]] = np.maximum(gains, 0.0)
    side = len(square)
    return max(float(square[range(side), order].sum()) for order in permutations(range(side)))


@pytest.mark.parametrize("seed", range(40))
def test_small_problems_are_solved_as_by_trying_everything(seed: int) -> None:
    """Dense, sparse, square or not: no other choice gains more."""
    random = np.random.default_rng(seed)
    gains = random.uniform(-random.uniform(0.0, 2.0), 1.0, random.integers(1, 7, 2))

    assert chosen_gain(gains) == pytest.approx(greatest_gain(gains))


@pytest.mark.parametrize("seed", range(5))
def test_large_problems_are_solved_as_by_the_solver_alone(seed: int) -> None:
    """Taking undisputed pairs out first loses nothing."""
    gains = np.random.default_rng(seed).uniform(-3.0, 1.0, (60, 80))
    cost, _, _ = lap.lapjv(np.where(gains > 0.0, -gains, 0.0), extend_cost=True)

    assert chosen_gain(gains) == pytest.approx(-cost)


def test_a_lone_greedy_choice_is_not_taken() -> None:
    """The best pair of all is left when its rivals gain more together."""
    assert chosen_gain(np.array([[0.9, 0.8], [0.8, 0.0]])) == pytest.approx(1.6)


def test_equal_gains_are_all_used() -> None:
    """Ties leave nobody out who could have been matched."""
    assert chosen_gain(np.full((3, 3), 0.5)) == pytest.approx(1.5)


def test_nothing_to_choose_from() -> None:
    """No pairs, no choice."""
    assert chosen_gain(np.zeros((3, 4))) == 0.0
