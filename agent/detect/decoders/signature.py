"""What is known of a model before anybody decides its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.engine import TensorSpec


@dataclass(frozen=True, eq=False)
class Signature:
    """What a model declares, and what it gave for one plain grey picture.

    Attributes:
        inputs: as declared, open axes None.
        outputs: as given: every shape is the real one of the sample.
        sample: the outputs for one grey picture, by name; floats as float32.
        metadata: the exporter's notes.
        names: the labels in `metadata`, or None.
        width_px, height_px: size the sample was made with.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sample: Mapping[str, npt.NDArray[Any]]
    metadata: Mapping[str, str]
    names: tuple[str, ...] | None
    width_px: int
    height_px: int

    def told(self) -> str:
        """Every input and output with type and shape, for people."""
        inputs = "; ".join(f"input {told(spec)}" for spec in self.inputs)
        outputs = "; ".join(f"output {told(spec)}" for spec in self.outputs)
        return f"{inputs}; {outputs}"


def told(spec: TensorSpec) -> str:
    """One tensor for people: name, type and shape, open axes as `?`."""
    shape = " x ".join("?" if axis is None else str(axis) for axis in spec.shape)
    return f"{spec.name} {spec.dtype} ({shape})"


def lone_table(signature: Signature) -> npt.NDArray[np.float32] | str:
    """The sample of the one output with three axes, float32 (batch, a, b); or, as text, why there is none.

    Outputs with five axes beside it are the raw heads that some exporters leave in; they are not needed.
    """
    if len(signature.inputs) > 1:
        return f"the model takes {len(signature.inputs)} inputs, not just a picture"
    task = signature.metadata.get("task", "detect")
    if task != "detect":
        return f"its metadata says that it is made for the task {task!r}"
    tables = [spec for spec in signature.outputs if len(spec.shape) == 3]
    heads = [spec for spec in signature.outputs if len(spec.shape) == 5]
    if len(tables) != 1 or len(tables) + len(heads) != len(signature.outputs):
        return f"it gives {len(signature.outputs)} output(s), not a single one with three axes"
    return np.asarray(signature.sample[tables[0].name], np.float32)


def lone_table_name(signature: Signature) -> str:
    """The name of the output that `lone_table` found."""
    return next(spec.name for spec in signature.outputs if len(spec.shape) == 3)


def are_scores(values: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether values lie between 0 and 1, up to rounding of half precision."""
    return bool(values.size == 0 or (values.min() >= -1e-3 and values.max() <= 1.0 + 1e-3))
