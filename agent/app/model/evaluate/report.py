"""Scores and parity as tables for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from agent.app.model.evaluate.table import table_lines
from agent.models.evaluate.coco_folder import CocoFolder
from agent.models.evaluate.coco_score import told
from agent.models.evaluate.comparing import EngineOutcome

_SCORES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100")
_HEAD = ("model", "engine", "precision", "AP", "AP50", "AP75", "small", "medium", "large", "AR", "seconds")
_PARITY_HEAD = ("model", "engine", "parity", "matched", "missing", "extra", "score off", "edge off", "overlap")


def as_json(folder: CocoFolder, outcomes: Sequence[EngineOutcome]) -> str:
    """One object."""
    dataset = {
        "path": str(folder.path),
        "annotations": str(folder.annotations),
        "pictures": len(folder.pictures),
        "boxes": len(folder.boxes),
        "crowds": sum(box.is_crowd for box in folder.boxes),
    }
    return json.dumps({"dataset": dataset, "results": [_flat(each) for each in outcomes]}, indent=2)


def as_text(folder: CocoFolder, outcomes: Sequence[EngineOutcome], *, has_classes: bool) -> str:
    """Tables, and below them what a person should know."""
    scored = [each for each in outcomes if each.score is not None]
    parts = [[folder.told()]]
    if scored:
        parts.append(list(table_lines(_HEAD, [_score_row(each) for each in scored], texts=3)))
    compared = [_parity_row(each) for each in scored if each.parity is not None]
    if compared:
        parts.append(list(table_lines(_PARITY_HEAD, compared, texts=3)))
    if has_classes:
        parts += [[each.score.as_text()] for each in scored if each.score is not None]
    parts.append(list(_notes(outcomes)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _flat(outcome: EngineOutcome) -> dict[str, object]:
    return {
        "model": outcome.model,
        "engine": outcome.use.name,
        "failure": outcome.failure or None,
        "seconds": round(outcome.seconds, 3),
        "score": None if outcome.score is None else outcome.score.as_json(),
        "parity": None if outcome.parity is None else dataclasses.asdict(outcome.parity),
    }


def _score_row(outcome: EngineOutcome) -> list[str]:
    score = outcome.score
    figures = (told(getattr(score, name)) for name in _SCORES)
    precision = "" if score is None else score.precision
    return [outcome.model, outcome.use.name, precision, *figures, f"{outcome.seconds:.1f}"]


def _parity_row(outcome: EngineOutcome) -> list[str]:
    parity = outcome.parity
    if parity is None:
        return []
    counts = (f"{parity.matched} of {parity.boxes}", str(parity.missing), str(parity.extra))
    worst = (f"{parity.worst_score:.5f}", f"{parity.worst_box_px:.2f} px", f"{parity.worst_overlap:.4f}")
    return [outcome.model, outcome.use.name, "same" if parity.is_within else "DIFFERS", *counts, *worst]


def _notes(outcomes: Sequence[EngineOutcome]) -> Iterator[str]:
    for each in outcomes:
        if each.failure:
            yield f"{each.model} on {each.use.name}: {each.failure}"
    left_out: dict[str, str] = {}
    for each in outcomes:
        if each.score is not None and each.score.not_in_model:
            left_out[each.model] = ", ".join(each.score.not_in_model)
    for model, names in left_out.items():
        yield f"{model}: left out of the scores, as it has no such label: {names}"
