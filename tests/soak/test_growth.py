"""A figure that grows is seen through noise, faults and starts anew; one that does not is left in peace."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from soak.growth import LIMITS, MIB, Growth, Limit, Sample, growth
from soak.report import Outcome, table

MEMORY = LIMITS[0]
HOUR_S = 3600.0
WARM_UP_S = 60.0


def samples(resident_mib: Callable[[float], float], lives: int = 1, hours: float = 1.0) -> list[Sample]:
    """One every five seconds, over so many lives of the same length; all else stands still."""
    chance, found = random.Random(1), []
    life_s = hours * HOUR_S / lives
    for number in range(int(hours * HOUR_S / 5)):
        at_s = number * 5.0
        life, age_s = 1 + int(at_s / life_s), at_s % life_s
        resident = (resident_mib(age_s) + chance.gauss(0, 3)) * MIB
        found.append(Sample(at_s, life, age_s, int(resident), 20, 15, at_s * 0.2, 0, 4 * MIB))
    return found


def found(taken: list[Sample], limit: Limit = MEMORY) -> Growth:
    """How it went."""
    result = growth(taken, limit, WARM_UP_S)
    assert result is not None
    return result


def settling(age_s: float) -> float:
    """Grows for a minute, and then no more."""
    return 200.0 + min(age_s, 60.0)


@pytest.mark.parametrize("lives", [1, 4])
def test_what_stays_is_good(lives: int) -> None:
    """Noise and a warm-up are no growth, nor is starting low again."""
    assert found(samples(settling, lives)).is_good


@pytest.mark.parametrize("lives", [1, 2])
def test_what_grows_is_seen(lives: int) -> None:
    """90 MiB an hour on top of it."""
    result = found(samples(lambda age_s: settling(age_s) + age_s / 40, lives))

    assert not result.is_good
    assert result.per_hour == pytest.approx(90 * MIB, rel=0.1)


def test_what_grows_in_steps_is_seen() -> None:
    """10 MiB at a time, every eight minutes."""
    assert not found(samples(lambda age_s: 200.0 + 10 * (age_s // 480))).is_good


def test_a_hill_is_no_growth() -> None:
    """A fifth of the time it holds a lot, and gives it back."""
    assert found(samples(lambda age_s: 300.0 if 1000 < age_s < 1720 else 200.0)).is_good


def test_too_few_samples_are_no_proof() -> None:
    """A verdict of good needs something that was measured."""
    outcome = Outcome(seed=1, duration_s=60.0, warm_up_s=WARM_UP_S, samples=samples(settling, hours=0.02))

    assert growth(outcome.samples, MEMORY, WARM_UP_S) is None
    assert outcome.verdict()
    assert "FAILED" in table(outcome)


def test_the_table_has_every_figure() -> None:
    """Each with its limit, and the verdict at the end."""
    outcome = Outcome(seed=7, duration_s=HOUR_S, warm_up_s=WARM_UP_S, samples=samples(settling), lives=1)
    text = table(outcome)

    assert "seed 7" in text
    for limit in LIMITS:
        assert limit.figure.replace("bytes", "MiB") in text
    assert text.endswith("verdict: good")
