"""What is known of a model as text for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Iterator, Sequence

from agent.detect.decoders.signature import told
from agent.models.info.analysis import Analysis
from agent.models.info.targets import Target

SIGNS = {"takes": "+", "partly": "~", "refuses": "-", "unknown": "?"}
_METADATA_WIDTH = 60
_STOPS = 6
_NOTE_WIDTH = 240


def as_json(found: Analysis) -> str:
    """One object; shapes as lists, open axes null."""
    file, description = found.file, found.description
    return json.dumps(
        {
            "path": str(file.path),
            "bytes": description.size_bytes,
            "beside": dict(description.beside),
            "sha256": file.sha256,
            "precision": file.precision,
            "producer": description.producer,
            "ir_version": description.ir_version,
            "opsets": dict(description.opsets),
            "metadata": dict(file.metadata),
            "inputs": [dataclasses.asdict(spec) for spec in file.inputs],
            "outputs": [dataclasses.asdict(spec) for spec in file.outputs],
            "family": found.recognised.family or None,
            "use": found.recognised.told,
            "parameters": found.parameters,
            "weight_bytes": found.weight_bytes,
            "multiply_adds": found.multiply_adds,
            "counted_for": dict(found.shapes),
            "layers": [dataclasses.asdict(layer) for layer in found.layers],
            "operators": dict(description.operators),
            "folded": found.folded,
            "targets": [dataclasses.asdict(target) for target in found.targets],
            "notes": list(found.notes),
        },
        indent=2,
    )


def as_text(found: Analysis, layers: int) -> str:
    """Paragraphs; at most `layers` of the largest layers."""
    parts = (_head(found), _tensors(found), _costs(found), _layers(found, layers), _operators(found), _targets(found))
    notes = [f"note: {note}" for note in found.notes]
    return "\n\n".join("\n".join(lines) for lines in (*parts, notes) if lines)


def _head(found: Analysis) -> list[str]:
    file, description = found.file, found.description
    opsets = ", ".join(f"{domain or 'ONNX'} {version}" for domain, version in description.opsets.items())
    beside = "".join(f", and {name} with {_bytes(size)}" for name, size in description.beside.items())
    made_by = f"; made by {description.producer}" if description.producer else ""
    lines = [
        f"{file.path.name}: {_bytes(description.size_bytes)}{beside}, {file.precision}",
        f"operator sets: {opsets}; format version {description.ir_version}{made_by}",
        f"family: {found.recognised.family or 'none recognised'}; {found.recognised.told}",
    ]
    return lines + [f"metadata: {key} = {_short(value)}" for key, value in file.metadata.items()]


def _tensors(found: Analysis) -> list[str]:
    inputs = [f"input   {told(spec)}" for spec in found.file.inputs]
    return inputs + [f"output  {told(spec)}" for spec in found.file.outputs]


def _costs(found: Analysis) -> list[str]:
    sizes = ", ".join(f"{precision} {_bytes(size)}" for precision, size in found.weight_bytes.items())
    lines = [f"parameters: {found.parameters:,} ({sizes})"]
    if found.multiply_adds is None:
        return [*lines, "multiply-adds: not known"]
    shapes = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in found.shapes.items())
    flops = 2 * found.multiply_adds / 1e9
    return [*lines, f"multiply-adds: {found.multiply_adds:,} ({flops:.3f} GFLOPs) for {shapes}"]


def _layers(found: Analysis, most: int) -> list[str]:
    shown = found.layers[:most]
    if not shown:
        return []
    rows = [("largest layers", "kind", "parameters", "share", "multiply-adds")]
    for layer in shown:
        share = layer.parameters / max(1, found.parameters)
        work = "?" if layer.multiply_adds is None else f"{layer.multiply_adds:,}"
        rows.append((layer.name, layer.kind, f"{layer.parameters:,}", f"{share:.1%}", work))
    rest = len(found.layers) - len(shown)
    return [*_table(rows, texts=2), *([f"and {rest} more"] if rest else [])]


def _operators(found: Analysis) -> list[str]:
    counts = found.description.operators
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    folded = f"; {found.folded} of them are computed when loading" if found.folded else ""
    return [f"operators: {sum(counts.values()):,}{folded}", listed]


def _targets(found: Analysis) -> list[str]:
    lines = ["run-times and accelerators:"]
    for target in found.targets:
        lines += _target(target)
    return lines


def _target(target: Target) -> Iterator[str]:
    shares = [
        f"{share:.1%} of its {what}"
        for share, what in ((target.operators_share, "operators"), (target.multiply_adds_share, "multiply-adds"))
        if share is not None and target.stops
    ]
    note = textwrap.shorten(target.note, _NOTE_WIDTH, placeholder=" ...")
    clauses = "; ".join([*([" and ".join(shares)] if shares else []), *([note] if note else [])])
    yield f"  {SIGNS[target.verdict]} {target.name}" + (f": {clauses}" if clauses else "")
    for stop in target.stops[:_STOPS]:
        example = f" ({stop.example})" if stop.example else ""
        yield f"      {stop.count} {stop.operator}: {stop.reason}{example}"
    if rest := target.stops[_STOPS:]:
        yield f"      and {sum(stop.count for stop in rest)} more of {len({stop.operator for stop in rest})} kinds"
    if target.source != "asked here":
        yield f"      by {target.source}"


def _table(rows: Sequence[Sequence[str]], texts: int) -> Iterator[str]:
    """Columns as wide as they need be; the first ones to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(c.ljust(w) if place < texts else c.rjust(w) for place, (c, w) in enumerate(cells)).rstrip()


def _bytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count:,} bytes"


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _METADATA_WIDTH else f"{line[:_METADATA_WIDTH]}... ({len(value)} characters)"
