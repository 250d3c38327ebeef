"""Rounds of all combinations in turns, so that whatever else the machine does hits every one alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.detect.engine_request import make_request
from agent.models.bench.child import Question, ask_round
from agent.models.bench.combination import Combination
from agent.models.bench.figures import Figures, figures_of
from agent.models.bench.timed_round import Pace, Round
from devices.engines.engine import Precision, Tensors
from devices.errors import DevicesError

Feed = Callable[[DetectionPlan], Tensors]
"""What every inference of a model is given, as many pictures as its batch."""
Ask = Callable[[Question], Round]
Progress = Callable[[int, int, str], None]
"""Called with how many rounds are done, of how many, and which combination is next or was last."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """One row of the table: a combination, and its figures or why there are none."""

    combination: Combination
    figures: Figures | None
    failure: str = ""


@dataclass(eq=False)
class _Row:
    """What is known of one combination so far."""

    combination: Combination
    rounds: list[Round] = field(default_factory=list)
    failure: str = ""


def measure_in_turns(
    combinations: Sequence[Combination],
    feed: Feed,
    rounds: int,
    pace: Pace,
    *,
    cache_dir: Path | None = None,
    progress: Progress = lambda _done, _total, _name: None,
    ask: Ask = ask_round,
) -> list[Outcome]:
    """Measure every combination in every round; each round of each is a process of its own.

    Every second round goes through them backwards. One that fails is an outcome with the reason.

    Args:
        combinations: the rows.
        feed: what they infer.
        rounds: how many.
        pace: how long one is.
        cache_dir: where engines are kept from round to round, or None.
        progress: is told before every round of a combination, and after the last.
        ask: takes one round.
    """
    rows = [_Row(each, failure=each.reason) for each in combinations]
    total, done = rounds * len(rows), 0
    for number in range(rounds):
        for row in rows if number % 2 == 0 else reversed(rows):
            progress(done, total, row.combination.name)
            _take(row, feed, pace, cache_dir, ask)
            done += 1
    progress(done, total, "done")
    return [
        Outcome(row.combination, None, row.failure)
        if row.failure
        else Outcome(row.combination, figures_of(row.rounds, row.combination.sessions))
        for row in rows
    ]


def _take(row: _Row, feed: Feed, pace: Pace, cache_dir: Path | None, ask: Ask) -> None:
    """One round of one combination, unless it failed before."""
    combination = row.combination
    if row.failure or combination.plan is None:
        return
    request = make_request(
        combination.plan, combination.model, combination.use.accelerator,
        threads=combination.threads, cache_dir=cache_dir,
    )  # fmt: skip
    plan = combination.plan
    question = Question(combination.use.runtime, request, feed(plan), plan.batch, pace)
    try:
        measured = ask(question)
    except DevicesError as error:
        after = f"after {len(row.rounds)} rounds: " if row.rounds else ""
        row.failure = f"{after}{error}"
        return
    row.rounds.append(measured)
    if combination.precision not in {Precision.AUTO.value, measured.precision}:
        row.failure = f"asked for {combination.precision}, but it computes with {measured.precision}"
