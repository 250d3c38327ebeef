"""What became of a model as text for a person, or as JSON for a program."""

from __future__ import annotations

import json
import math
from pathlib import Path

from agent.models.optimize.equality import Check
from agent.models.optimize.optimizing import Optimised, Side


def as_text(found: Optimised, model: Path, out: Path | None) -> str:
    """What was read, what was checked, what it brought and where it is."""
    lines = [f"{model.name}: equal after {found.simplifier}", *_checks(found)]
    lines += _gains(found.before, found.after) if found.after is not None else []
    lines += [f"note: {note}" for note in found.notes]
    where = f"written: {out}, {len(found.content):,} bytes" if out is not None else "nothing written: no --out"
    return "\n".join([*lines, where])


def as_json(found: Optimised, model: Path, out: Path | None) -> str:
    """One object."""
    return json.dumps(
        {
            "path": str(model),
            "out": None if out is None or found.refusal else str(out),
            "simplifier": found.simplifier,
            "family": found.family or None,
            "refused": found.refusal or None,
            "before": _side(found.before),
            "after": None if found.after is None else _side(found.after),
            "checks": [_check(check) for check in found.checks],
            "notes": list(found.notes),
        },
        indent=2,
    )


def _checks(found: Optimised) -> list[str]:
    boxes = [check.boxes.text for check in found.checks if check.boxes is not None]
    worst = max(found.checks, key=lambda check: check.off)
    differs = (
        "bit for bit" if worst.off == 0 else f"to {worst.off:.1e} of the range of {worst.worst} ({worst.question})"
    )
    pictures = sorted({check.question for check in found.checks if not check.question.startswith("noise ")})
    asked = f"on noise and {len(pictures)} pictures" if pictures else "on noise"
    lines = [f"  same {differs}, {asked}, ONNX Runtime's optimisations off and on"]
    if boxes:
        lines.append(f"  same box for box ({found.family}): {boxes[0]}" + (", and so on" if len(boxes) > 1 else ""))
    return lines


def _gains(before: Side, after: Side) -> list[str]:
    rows = (
        ("bytes", f"{before.size_bytes:,}", f"{after.size_bytes:,}", _change(before.size_bytes, after.size_bytes)),
        ("nodes", f"{before.nodes:,}", f"{after.nodes:,}", _change(before.nodes, after.nodes)),
        ("median ms", f"{before.median_ms:.2f}", f"{after.median_ms:.2f}", _change(before.median_ms, after.median_ms)),
    )
    return [f"  {name:<9}  {one:>13} -> {other:>13}  {change:>7}" for name, one, other, change in rows]


def _change(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else ""


def _side(side: Side) -> dict[str, object]:
    median = None if math.isnan(side.median_ms) else side.median_ms
    return {"bytes": side.size_bytes, "nodes": side.nodes, "median_ms": median}


def _check(check: Check) -> dict[str, object]:
    return {
        "question": check.question,
        "optimised": check.is_optimised,
        "off": check.off if math.isfinite(check.off) else None,
        "worst": check.worst,
        "allowed": check.allowed,
        "boxes": None if check.boxes is None else check.boxes.text,
        "failure": check.failure or None,
        "within": check.is_within,
    }
