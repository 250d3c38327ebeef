"""What became of a model: the record that the report is made of."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.models.quantize.accuracy import Scored
from agent.models.quantize.speed import Timed


@dataclass(frozen=True)
class InFloat:
    """A layer that stays in float: its node, and how far apart the model is with it alone in int8, 0 to 1."""

    layer: str
    apart: float


@dataclass(frozen=True)
class Outcome:
    """What was read, written, and what it cost.

    Attributes:
        model: read.
        family: how it is read.
        written: path and bytes of every file, the model first.
        bytes_before: of the model read.
        precision: int8 or fp16.
        how: method and target, for a person; "" for fp16.
        pictures: what it was calibrated on; "" for fp16.
        int8_layers: how many are in int8.
        in_float: kept in float because of what they cost.
        scores: on the dataset; empty where there is none.
        dataset: for a person, or "".
        apart: of int8 from float on calibration pictures, 0 to 1; None for fp16.
        timed: speed, where it was compared.
        complaints: what TensorRT would refuse, for a model that is for everything.
    """

    model: Path
    family: str
    written: tuple[tuple[Path, int], ...]
    bytes_before: int
    precision: str
    how: str = ""
    pictures: str = ""
    int8_layers: int = 0
    in_float: tuple[InFloat, ...] = ()
    scores: tuple[Scored, ...] = ()
    dataset: str = ""
    apart: float | None = None
    timed: tuple[Timed, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def is_onnx(self) -> bool:
        """Whether what was written is ONNX."""
        return self.written[0][0].suffix == ".onnx"

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        found = dataclasses.asdict(self)
        found["model"] = str(self.model)
        found["written"] = [{"path": str(path), "bytes": size} for path, size in self.written]
        for row, scored in zip(found["scores"], self.scores, strict=True):
            row["loss"] = scored.loss
        for row, timed in zip(found["timed"], self.timed, strict=True):
            row["factor"] = timed.factor
        return found
