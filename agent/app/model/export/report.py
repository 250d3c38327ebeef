"""What was read, written and compared, for a person or as JSON."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.models.export.exported import Exported
from devices.engines.engine import TensorSpec


@dataclass(frozen=True, eq=False)
class Export:
    """One run of the tool: what was asked, what came out, and how long it took."""

    options: argparse.Namespace
    exported: Exported
    took_s: float


def as_json(done: Export) -> str:
    """One object; a difference that is no number is null."""
    exported = done.exported
    return json.dumps(
        {
            "module": {"name": done.options.module, "class": exported.module, "parameters": exported.parameters},
            "weights": None if done.options.weights is None else str(done.options.weights),
            "written": None if exported.refusal else str(done.options.out),
            "size_bytes": len(exported.content),
            "exporter": exported.way,
            "opset": exported.opset,
            "operators": exported.nodes,
            "inputs": [_tensor(spec) for spec in exported.inputs],
            "outputs": [_tensor(spec) for spec in exported.outputs],
            "versions": dict(exported.versions),
            "trials": exported.trials,
            "batches": list(exported.batches),
            "differences": [
                {"output": gap.output, "absolute": _number(gap.absolute), "relative": _number(gap.relative),
                 "trial": gap.trial}
                for gap in exported.gaps
            ],
            "tolerance": exported.tolerance,
            "refusal": exported.refusal or None,
            "took_s": round(done.took_s, 3),
        },
        indent=2,
    )  # fmt: skip


def as_text(done: Export) -> str:
    """A few lines."""
    return "\n".join(_lines(done))


def _lines(done: Export) -> Iterator[str]:
    options, exported = done.options, done.exported
    weights = f", weights of {options.weights}" if options.weights else ""
    yield f"read     {options.module}: {exported.module}, {exported.parameters:,} parameters{weights}"
    size = f"{len(exported.content):,} bytes, opset {exported.opset}, {exported.nodes} operators, by {exported.way}"
    yield f"refused  {options.out}: {size}" if exported.refusal else f"wrote    {options.out}: {size}"
    for word, specs in (("input", exported.inputs), ("output", exported.outputs)):
        for spec in specs:
            yield f"{word:<9}{spec.name}: {spec.dtype} {'x'.join(_axes(spec))}"
    beside = " beside ".join(f"{name} {version}" for name, version in exported.versions.items())
    yield f"compared {beside}, {exported.trials} inputs, {_batches(exported.batches)}"
    for gap in exported.gaps:
        found = f"greatest difference absolute {gap.absolute:.1e}, relative {gap.relative:.1e}"
        yield f"         {gap.output}: {gap.fault or found} ({gap.trial}), allowed {exported.tolerance:g}"
    yield f"took     {done.took_s:.1f} s"


def _batches(batches: Sequence[int]) -> str:
    told = ", ".join(map(str, batches[:-1]))
    return f"batch {batches[-1]}" if not told else f"batches {told} and {batches[-1]}"


def _tensor(spec: TensorSpec) -> dict[str, object]:
    return {"name": spec.name, "type": spec.dtype, "shape": list(spec.shape)}


def _axes(spec: TensorSpec) -> list[str]:
    return ["?" if axis is None else str(axis) for axis in spec.shape]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
