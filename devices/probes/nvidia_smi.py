"""nvidia-smi as a question with a deadline: rows of values, where "[N/A]" and its kin are no value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devices.probes.root import CommandResult, Root

_DEADLINE_S = 5.0
_NO_VALUES = ("", "n/a", "not supported", "unknown error", "gpu requires reset", "no data", "insufficient permissions")


@dataclass(frozen=True)
class SmiAnswer:
    """Rows of values by field, or why there are none.

    Attributes:
        rows: one a GPU or process, with the fields that have a value.
        problem: "" where it answered.
        knows_fields: False where this release of it has no such field.
    """

    rows: tuple[dict[str, str], ...] = ()
    problem: str = ""
    knows_fields: bool = True


def query_gpus(root: Root, fields: Sequence[str]) -> SmiAnswer:
    """One row a GPU."""
    result = root.run(("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"), _DEADLINE_S)
    return _answer(result, fields)


def query_processes(root: Root) -> SmiAnswer:
    """One row a process on a GPU: `used_memory`, in MiB."""
    fields = ("used_memory",)
    result = root.run(("nvidia-smi", "--query-compute-apps=used_memory", "--format=csv,noheader,nounits"), _DEADLINE_S)
    return _answer(result, fields)


def list_gpus(root: Root) -> tuple[dict[str, str], ...]:
    """Every GPU of the machine, whatever CUDA shows this process: `index`, `name`."""
    return query_gpus(root, ("index", "name")).rows


def said_by_nvidia_smi(root: Root) -> str:
    """What it complains of, in one line; "" where it works or is not there to ask."""
    result = root.run(("nvidia-smi", "-L"), _DEADLINE_S)
    if result.code == 0 or not result.output:
        return ""
    return "; ".join(line.strip() for line in result.output.splitlines() if line.strip())


def _answer(result: CommandResult, fields: Sequence[str]) -> SmiAnswer:
    if result.code != 0:
        said = (result.output or result.errors).strip()
        return SmiAnswer(
            problem=said.splitlines()[0] if said else f"it ends with status {result.code}",
            knows_fields="not a valid field" not in said,
        )
    rows = [[value.strip() for value in line.split(",")] for line in result.output.splitlines() if line.strip()]
    return SmiAnswer(
        tuple(
            {name: value for name, value in zip(fields, row, strict=True) if _has_value(value)}
            for row in rows
            if len(row) == len(fields)
        )
    )


def _has_value(value: str) -> bool:
    return value.strip("[]").lower() not in _NO_VALUES
