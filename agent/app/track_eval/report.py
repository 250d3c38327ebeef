"""Scores and times as tables for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from agent.app.track_eval.contestants import Contestant
from agent.app.track_eval.rounds import Outcome
from agent.app.track_eval.timing import Time

PER_CENT = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
COUNTED = ("switches", "fragments")
COMBINED = "combined"


def as_text(chosen: Sequence[Contestant], outcomes: Sequence[Outcome], times: Sequence[Time]) -> str:
    """Tables, and below them what a person should know."""
    parts = []
    if outcomes:
        parts.append("\n".join(_scores(outcomes, has_sets=len(chosen) > 1)))
    if times:
        parts.append("\n".join(_times(times)))
    notes = list(_notes(chosen, outcomes))
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def as_json(chosen: Sequence[Contestant], outcomes: Sequence[Outcome], times: Sequence[Time], every: int) -> str:
    """One object; scores in per cent, times in microseconds."""
    return json.dumps(
        {
            "every": every,
            "sets": {each.name: dict(each.changed) for each in chosen},
            "sequences": [_flat(each) for each in outcomes if each.sequence is not None],
            "combined": [_flat(each) for each in outcomes if each.sequence is None],
            "speed": [dataclasses.asdict(each) for each in times],
        },
        indent=2,
    )


def _flat(outcome: Outcome) -> dict[str, object]:
    row = dataclasses.asdict(outcome)
    scores = row.pop("scores")
    return {**row, **scores}


def _scores(outcomes: Sequence[Outcome], *, has_sets: bool) -> Iterator[str]:
    head = ["sequence", *(["set"] if has_sets else []), *PER_CENT, *COUNTED, "us/update"]
    rows = []
    for each in outcomes:
        scores = each.scores
        per_cent = (getattr(scores, name.lower()) for name in PER_CENT)
        counted = (getattr(scores, name) for name in COUNTED)
        rows.append([
            each.sequence or COMBINED, *([each.contestant] if has_sets else []),
            *(f"{value:.2f}" for value in per_cent),
            *(str(value) for value in counted), "-" if each.update_us is None else f"{each.update_us:.0f}",
        ])  # fmt: skip
    return _table(head, rows, texts=2 if has_sets else 1)


def _times(times: Sequence[Time]) -> Iterator[str]:
    peers = list(times[0].of_peers)
    rows = [
        [each.tracker, str(each.objects), f"{each.update_us:.0f}", *(f"{each.of_peers[peer]:.3f}" for peer in peers)]
        for each in times
    ]
    return _table(["tracker", "objects", "us/update", *(f"of {peer}" for peer in peers)], rows, texts=1)


def _table(head: list[str], rows: list[list[str]], texts: int) -> Iterator[str]:
    """Columns as wide as they need be; the first ones to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = zip(row, widths, strict=True)
        aligned = [cell.ljust(w) if place < texts else cell.rjust(w) for place, (cell, w) in enumerate(cells)]
        yield "  ".join(aligned).rstrip()


def _notes(chosen: Sequence[Contestant], outcomes: Sequence[Outcome]) -> Iterator[str]:
    for each in chosen:
        if each.changed:
            yield f"{each.name}: with {each.told()}"
    sequences: dict[str, list[str]] = {}
    for outcome in outcomes:
        for note in outcome.notes:
            sequences.setdefault(note, []).append(outcome.sequence or COMBINED)
    for note, names in sequences.items():
        yield f"{', '.join(dict.fromkeys(names))}: {note}"
