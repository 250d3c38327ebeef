"""What was read, written and compared, for a person or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from agent.models.convert.conversion import Conversion


def as_text(done: Conversion, took_s: float) -> str:
    """One thing a line."""
    return "\n".join(_lines(done, took_s))


def as_json(done: Conversion, took_s: float) -> str:
    """One object."""
    return json.dumps(
        {
            "source": str(done.source),
            "source_bytes": done.source_bytes,
            "written": [str(path) for path in done.written],
            "result_bytes": done.result_bytes,
            "family": done.family,
            "labels": done.labels,
            "checks": [asdict(check) for check in done.checks],
            "notes": list(done.notes),
            "refused": done.refusal or None,
            "took_s": round(took_s, 1),
        },
        indent=2,
    )


def _lines(done: Conversion, took_s: float) -> Iterator[str]:
    yield f"read     {done.source}: {_size(done.source_bytes)}"
    if done.written:
        yield f"wrote    {', '.join(map(str, done.written))}: {_size(done.result_bytes)}"
    yield f"read as  {done.family}, {done.labels}"
    yield "compared with the ONNX model on ONNX Runtime, on the same inputs"
    for check in done.checks:
        yield f"         {check.told()}{'' if check.is_within else '; that is too far'}"
    for note in done.notes:
        yield f"note     {note}"
    yield f"took     {took_s:.1f} s"


def _size(count: int) -> str:
    return f"{count:,} bytes"
