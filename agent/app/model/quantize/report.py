"""What quantising read, wrote and cost, for a person or a program."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.app.model.evaluate.table import table_lines
from agent.models.quantize.outcome import Outcome

_TOLD = 5


def as_json(outcome: Outcome) -> str:
    """One object."""
    return json.dumps(outcome.as_json(), indent=2)


def as_text(outcome: Outcome) -> str:
    """Read, written, cost."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f"read     {outcome.model} ({outcome.family}, {outcome.bytes_before:,} bytes)"
    if outcome.pictures:
        yield f"         {outcome.pictures}"
    if outcome.dataset:
        yield f"         {outcome.dataset}"
    for path, size in outcome.written:
        yield f"wrote    {path} ({size:,} bytes)"
    if outcome.precision == "int8":
        yield f"int8     {outcome.how}: {outcome.int8_layers} layers in int8, {len(outcome.in_float)} kept in float"
        yield from (f"         {each.layer}: {each.apart:.3f} apart alone" for each in outcome.in_float[:_TOLD])
        if len(outcome.in_float) > _TOLD:
            yield f"         and {', '.join(each.layer for each in outcome.in_float[_TOLD:])}"
        if outcome.is_onnx:
            yield from _tensorrt(outcome)
    yield from _cost(outcome)


def _tensorrt(outcome: Outcome) -> Iterator[str]:
    if not outcome.complaints:
        yield "         TensorRT 10 and 11: symmetric int8 in pairs throughout, by the graph"
        return
    yield f"         not for TensorRT: {outcome.complaints[0]}, and {len(outcome.complaints) - 1} more"


def _cost(outcome: Outcome) -> Iterator[str]:
    if outcome.scores:
        rows = [
            [
                each.engine,
                f"{each.before:.4f}",
                "none" if each.after is None else f"{each.after:.4f}",
                f"{each.loss:+.4f}",
            ]
            for each in outcome.scores
        ]
        yield from table_lines(("accuracy", "AP before", "AP after", "loss"), rows, texts=1)
    else:
        apart = "" if outcome.apart is None else f"; {outcome.apart:.3f} apart on calibration pictures"
        yield f"accuracy not measured: there is no --dataset{apart}"
    if outcome.timed:
        rows = [
            [each.engine, f"{each.before_ms:.2f}", f"{each.after_ms:.2f}", f"{each.factor:.2f}x"]
            for each in outcome.timed
        ]
        yield from table_lines(("processor ms an inference, one thread", "before", "after", "speed"), rows, texts=1)
