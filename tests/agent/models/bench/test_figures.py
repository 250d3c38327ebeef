"""What rounds come to: sums, percentiles, rates."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from agent.models.bench.figures import figures_of, percentile
from agent.models.bench.timed_round import Round

# A hundred inferences of 1, 2, ... 100 ms in two sessions, four pictures each.
ROUND = Round(
    latencies_s=tuple(each / 1e3 for each in random.Random(1).sample(range(1, 101), 100)),
    wall_s=4.0,
    processor_s=6.0,
    load_s=0.5,
    first_s=0.2,
    pictures=4,
    peak_bytes=900,
    grown_bytes=800,
    runtime_version="1.0",
    precision="fp32",
)


def test_a_known_sequence_gives_known_figures() -> None:
    """1 to 100 ms: mean, sample deviation, percentiles as NumPy has them, and rates by pictures."""
    figures = figures_of([ROUND], sessions=2)

    values = np.arange(1.0, 101.0)
    assert figures.inferences == 100
    assert figures.mean_ms == pytest.approx(50.5)
    assert figures.deviation_ms == pytest.approx(values.std(ddof=1))
    expected = np.percentile(values, [50, 95, 99])
    assert (figures.p50_ms, figures.p95_ms, figures.p99_ms) == pytest.approx(tuple(expected))
    assert (figures.least_ms, figures.most_ms) == pytest.approx((1.0, 100.0))
    assert figures.pictures_per_s == pytest.approx(400 / 4.0)
    assert figures.processor_ms == pytest.approx(6000 / 400)
    assert (figures.peak_bytes, figures.engine_bytes, figures.bytes_per_picture) == (900, 800, 100)
    assert (figures.load_s, figures.first_ms) == (0.5, 200.0)


def test_rounds_are_pooled_and_rates_are_their_median() -> None:
    """Times of all rounds count alike; rates and processor time are medians, memory the most."""
    slow = replace(ROUND, wall_s=40.0, processor_s=60.0, peak_bytes=1000, load_s=9.0)

    figures = figures_of([ROUND, slow, ROUND], sessions=1)

    assert (figures.inferences, figures.mean_ms) == (300, pytest.approx(50.5))
    assert (figures.pictures_per_s, figures.rounds_per_s) == (100.0, (100.0, 10.0, 100.0))
    assert (figures.processor_ms, figures.peak_bytes, figures.load_s) == (15.0, 1000, 0.5)


def test_one_inference_is_enough() -> None:
    """Every percentile is it, and it does not deviate; memory that is not told stays unknown."""
    figures = figures_of([replace(ROUND, latencies_s=(0.01,), peak_bytes=None, grown_bytes=None)], sessions=1)

    assert {figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.mean_ms} == {10.0}
    assert (figures.deviation_ms, figures.peak_bytes, figures.bytes_per_picture) == (0.0, None, None)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 101])
@pytest.mark.parametrize("per_cent", [0, 50, 95, 99, 100])
def test_percentiles_are_numpys(count: int, per_cent: int) -> None:
    """For any number of values."""
    values = sorted(random.Random(count).random() for _ in range(count))

    assert percentile(values, per_cent) == pytest.approx(np.percentile(values, per_cent))
