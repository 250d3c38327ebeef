"""What a soak found, as a table for a person and a file for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from soak.growth import LIMITS, Growth, Sample, growth


@dataclass
class Outcome:
    """All that was seen.

    Attributes:
        seed: of the chance that chose the faults.
        duration_s: how long faults were let happen, with the quiet time after them.
        warm_up_s: at the beginning of each life of the agent, left out of the slopes.
        model: which one ran.
        faults_done: how often each fault happened.
        lives: starts of the agent.
        samples: of the agent, by time.
        events, doubles: different events that arrived; how many came again.
        wrong: everything that must not be, as sentences.
    """

    seed: int
    duration_s: float
    warm_up_s: float
    model: str = ""
    faults_done: dict[str, int] = field(default_factory=dict)
    lives: int = 0
    samples: list[Sample] = field(default_factory=list)
    events: int = 0
    doubles: int = 0
    wrong: list[str] = field(default_factory=list)

    def growths(self) -> list[Growth | None]:
        """How each figure went, as `LIMITS` has them."""
        return [growth(self.samples, limit, self.warm_up_s) for limit in LIMITS]

    def verdict(self) -> list[str]:
        """Everything that is wrong, growth too; empty when all is good."""
        found = list(self.wrong)
        for limit, each in zip(LIMITS, self.growths(), strict=True):
            if each is None:
                found.append(f"{limit.figure}: no life of the agent was long enough to tell whether it grows")
            elif not each.is_good:
                found.append(f"{limit.figure} grows: {_in(each.rise, each)} where {_in(each.allowed, each)} may be")
        return found


def table(outcome: Outcome) -> str:
    """All of it, in lines."""
    return "\n".join([*_head(outcome), "", *_figures(outcome), "", *_judgement(outcome)])


def begin_samples(path: Path) -> None:
    """A file with the names of the columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(Sample.__dataclass_fields__)


def add_sample(path: Path, sample: Sample) -> None:
    """One row more, at once: a soak that is broken off leaves what it saw."""
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(asdict(sample).values())


def _head(outcome: Outcome) -> Iterator[str]:
    done = ", ".join(f"{name} {count}" for name, count in sorted(outcome.faults_done.items()))
    yield f"soak of {outcome.duration_s:.0f} s, seed {outcome.seed}, four cameras, model {outcome.model}"
    yield f"{sum(outcome.faults_done.values())} faults: {done}"
    yield f"events: {outcome.events} arrived, and {outcome.doubles} of them again"
    yield f"agent: {outcome.lives} lives, {len(outcome.samples)} samples, {_load(outcome.samples)}"


def _load(samples: Sequence[Sample]) -> str:
    lives = {sample.life: sample for sample in samples}.values()
    age_s = sum(sample.age_s for sample in lives)
    return f"{sum(sample.cpu_s for sample in lives) / age_s:.2f} cores" if age_s else "no load seen"


def _figures(outcome: Outcome) -> Iterator[str]:
    yield f"{'figure':<16}{'first':>9}{'last':>9}{'peak':>9}{'per hour':>10}{'rise':>9}{'allowed':>9}"
    for limit, each in zip(LIMITS, outcome.growths(), strict=True):
        name = limit.figure if limit.unit == 1.0 else limit.figure.replace("bytes", "MiB")
        if each is None:
            yield f"{name:<16}  too few samples"
            continue
        values = (each.first, each.last, each.peak, each.per_hour, each.rise, each.allowed)
        shown = [f"{value / limit.unit:.1f}" for value in values]
        widths = (9, 9, 9, 10, 9, 9)
        row = "".join(f"{text:>{width}}" for text, width in zip(shown, widths, strict=True))
        yield f"{name:<16}{row}{'' if each.is_good else '  GROWS'}"


def _judgement(outcome: Outcome) -> Iterator[str]:
    found = outcome.verdict()
    yield from (f"WRONG: {sentence}" for sentence in found)
    yield f"verdict: {'FAILED' if found else 'good'}"


def _in(value: float, each: Growth) -> str:
    return f"{value / each.limit.unit:.1f}{' MiB' if each.limit.unit != 1.0 else ''}"
