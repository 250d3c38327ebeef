"""What became of every way to run a model, as a table for a person or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from devices.selection import Verdict

HEADINGS = ("", "candidate", "ms", "cpu ms", "memory", "difference", "")


def table_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A heading, a row for every run-time that drives something here, then what there is not."""
    rows = [HEADINGS, *(_row(verdict) for verdict in verdicts if verdict.candidate.runtime)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
    for verdict in verdicts:
        if not verdict.candidate.runtime:
            yield f"  -  {verdict.candidate.name}: {verdict.reason}"


def verdicts_as_json(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """The same for programs."""
    return [{**asdict(verdict), "name": verdict.candidate.name} for verdict in verdicts]


def _row(verdict: Verdict) -> tuple[str, ...]:
    """Candidates that were not tried have a reason in place of numbers."""
    measured = verdict.measurement
    sign = "*" if verdict.is_chosen else ("+" if measured else "-")
    name = verdict.sentence.partition(":")[0] + (f", {verdict.precision}" if verdict.precision else "")
    if measured is None:
        return (sign, name, "", "", "", "", verdict.reason)
    memory = "" if verdict.memory_bytes is None else f"{verdict.memory_bytes / 2**20:.0f} MiB"
    difference = "" if verdict.difference is None else verdict.difference.text
    times = (f"{measured.median_s * 1e3:.1f}", f"{measured.processor_s * 1e3:.1f}")
    return (sign, name, *times, memory, difference, verdict.outcome)
