"""Figures as a table for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from agent.app.model.evaluate.table import table_lines
from agent.models.bench.figures import Figures
from agent.models.bench.timed_round import Pace
from agent.models.bench.turns import Outcome
from devices.inventory import Inventory

_HEAD = (
    "model", "engine", "picture", "precision", "batch", "sessions", "threads",
    "mean", "dev", "p50", "p95", "p99", "pictures/s", "cpu ms", "peak", "engine", "load s", "first",
)  # fmt: skip
_TEXTS = 4
_MIB = 1 << 20


def as_text(hardware: Inventory, outcomes: Sequence[Outcome], rounds: int, pace: Pace) -> str:
    """The table, what it was measured on, and what failed."""
    measured = [_row(each, each.figures) for each in outcomes if each.figures is not None]
    parts = [[_heading(hardware, rounds, pace)]]
    if measured:
        parts.append(list(table_lines(_HEAD, measured, _TEXTS)))
    parts.append(list(_failures(outcomes)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def as_json(hardware: Inventory, outcomes: Sequence[Outcome], rounds: int, pace: Pace) -> str:
    """One object; times in milliseconds, memory in bytes."""
    machine = {"name": hardware.machine, "processors": hardware.cpu_limit, "system": hardware.system}
    how = {"rounds": rounds, **dataclasses.asdict(pace)}
    return json.dumps({"machine": machine, "how": how, "results": [_flat(each) for each in outcomes]}, indent=2)


def title(hardware: Inventory) -> str:
    """What it was measured on."""
    processor = hardware.accelerators[0].name
    return f"{hardware.machine}, {processor}, {hardware.cpu_limit:g} processors"


def _heading(hardware: Inventory, rounds: int, pace: Pace) -> str:
    return (
        f"{title(hardware)}; {rounds} rounds of {pace.measured_s:g} s in turns, each after {pace.warm_up_s:g} s of "
        "warm-up and in a process of its own; times in ms of one inference, memory in MiB"
    )


def _flat(outcome: Outcome) -> dict[str, object]:
    each, figures = outcome.combination, outcome.figures
    return {
        "model": each.model.path.name,
        "engine": each.use.name,
        "picture": each.size,
        "batch": each.batch,
        "precision_asked": each.precision,
        "sessions": each.sessions,
        "threads": each.threads,
        "failure": outcome.failure or None,
        "figures": None if figures is None else dataclasses.asdict(figures),
    }


def _row(outcome: Outcome, figures: Figures) -> list[str]:
    each = outcome.combination
    times = (figures.mean_ms, figures.deviation_ms, figures.p50_ms, figures.p95_ms, figures.p99_ms)
    return [
        each.model.path.name, each.use.name, each.size, figures.precision,
        str(each.batch), str(each.sessions), str(each.threads),
        *(f"{value:.2f}" for value in times),
        f"{figures.pictures_per_s:.1f}", f"{figures.processor_ms:.2f}",
        _mib(figures.peak_bytes), _mib(figures.engine_bytes),
        f"{figures.load_s:.2f}", f"{figures.first_ms:.1f}",
    ]  # fmt: skip


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / _MIB:.0f}"


def _failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Each reason once, with how many it is the reason of."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in outcomes:
        if each.failure:
            reasons.setdefault((each.combination.model.path.name, each.failure), []).append(each.combination.name)
    for (_, failure), names in reasons.items():
        more = f" and {len(names) - 1} more like it" if len(names) > 1 else ""
        yield f"not measured: {names[0]}{more}: {failure}"
