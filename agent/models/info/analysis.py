"""Everything about one model, gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.detection_plan import DetectionPlan
from agent.errors import ToolInputError
from agent.models.info.targets import Examined, Target, find_targets
from agent.models.input_errors import told_as_input
from agent.models.recognised import Shapes, input_shapes, recognised
from devices.engines.engine import TensorSpec
from devices.engines.model_file import ModelFile, read_model
from devices.errors import DevicesError
from devices.models.onnx_description import Description, describe
from devices.models.onnx_layers import Layer, read_layers
from devices.models.onnx_multiplications import multiply_adds, needed
from devices.models.onnx_shapes import Shape, inferred_shapes, run_shapes
from devices.models.onnx_whole import read_whole

BYTES_OF = {"fp32": 4, "fp16": 2, "int8": 1}


@dataclass(frozen=True)
class LayerCost:
    """One operator that has parameters or multiplies.

    Attributes:
        name, kind: of the operator.
        parameters: elements of its weights.
        multiply_adds: of one inference; None where a shape is not known.
    """

    name: str
    kind: str
    parameters: int
    multiply_adds: int | None


@dataclass(frozen=True)
class Recognised:
    """How the product would use the model.

    Attributes:
        family: of the product's table; "" where it knows none.
        told: how it is fed, as a sentence; or why no family is recognised.
    """

    family: str
    told: str


@dataclass(frozen=True, eq=False)
class Analysis:
    """One model.

    Attributes:
        file: as it describes itself: inputs, outputs, metadata, digest, precision of most weights.
        description: operators, operator sets, exporter, weight files.
        recognised: how the product would use it.
        shapes: of the inputs, that multiply-adds are counted for; empty where they are not known.
        layers: those that have parameters or multiply, most parameters first.
        parameters: of all of them.
        multiply_adds: of one inference; None where a shape is not known.
        folded: operators that run-times compute when loading.
        targets: what can take it.
        notes: what a person should know.
    """

    file: ModelFile
    description: Description
    recognised: Recognised
    shapes: Mapping[str, Shape]
    layers: tuple[LayerCost, ...]
    parameters: int
    multiply_adds: int | None
    folded: int
    targets: tuple[Target, ...]
    notes: tuple[str, ...]

    @property
    def weight_bytes(self) -> dict[str, int]:
        """What the parameters take in each precision; scales of int8 are not counted."""
        return {precision: self.parameters * size for precision, size in BYTES_OF.items()}


def analyse(path: Path, shapes: Shapes, told: Callable[[str], None] = lambda _step: None) -> Analysis:
    """Look at a model from every side.

    Args:
        path: of the ONNX model.
        shapes: of inputs that leave an axis open, by name.
        told: hears of every step.

    Raises:
        ToolInputError: the model cannot be read, or a shape does not fit.
    """
    with told_as_input(path):
        told("reading")
        file, description = read_model(path), describe(path)
        found = recognised(path)
        plan = found if isinstance(found, DetectionPlan) else None
        known, notes = _known_inputs(file, shapes, plan)
        told("counting")
        layers, uncounted = _layers(path, file, description, known)
        told("asking run-times")
        opened = tuple(spec.name for spec in file.inputs if None in spec.shape)
        targets = find_targets(Examined(path, description.opsets.get("", 1), known, opened, layers))
    costs = [LayerCost(each.name, each.kind, each.parameters, multiply_adds(each)) for each in layers]
    counts = [each.multiply_adds for each in costs]
    total = sum(count or 0 for count in counts) if known and None not in counts else None
    return Analysis(
        file=file,
        description=description,
        recognised=_recognised(found),
        shapes=known,
        layers=_by_size(costs),
        parameters=sum(each.parameters for each in costs),
        multiply_adds=total,
        folded=sum(each.is_folded for each in layers),
        targets=targets,
        notes=(*notes, *uncounted, *_inner(description)),
    )


def _known_inputs(
    file: ModelFile, given: Shapes, plan: DetectionPlan | None
) -> tuple[dict[str, Shape], tuple[str, ...]]:
    """The inputs' shapes; without them, and why, where one is open and nobody says its size."""
    try:
        return input_shapes(file, given, plan), ()
    except ToolInputError as error:
        if given:
            raise
        return {}, (f"multiply-adds are not counted: {error}",)


def _layers(
    path: Path, file: ModelFile, description: Description, known: Mapping[str, Shape]
) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Every operator with its shapes; what inference leaves open is learned by running the model once."""
    proto = description.proto
    shapes = inferred_shapes(proto, known)
    layers = read_layers(proto, shapes)
    if not known or not any(needed(layer) for layer in layers):
        return layers, ()
    missing = [name for node in proto.graph.node for name in node.output if name and name not in shapes]
    tensors = {spec.name: _blank(spec, known[spec.name]) for spec in file.inputs}
    try:
        shapes |= run_shapes(read_whole(path), missing, tensors)
    except DevicesError as error:
        return layers, (f"multiply-adds are not counted: shapes stay open, and the model does not run: {error}",)
    return read_layers(proto, shapes), ()


def _blank(spec: TensorSpec, shape: Shape) -> npt.NDArray[Any]:
    """Grey in floats; in integers a number that is a size or an index to most models."""
    dtype = np.dtype(spec.dtype)
    return np.full(shape, 0.5 if dtype.kind == "f" else 1, dtype)


def _recognised(found: DetectionPlan | str) -> Recognised:
    if isinstance(found, str):
        return Recognised("", found)
    return Recognised(found.family, found.told().partition(f"family {found.family}, ")[2])


def _by_size(costs: list[LayerCost]) -> tuple[LayerCost, ...]:
    weighty = [each for each in costs if each.parameters or each.multiply_adds]
    return tuple(sorted(weighty, key=lambda each: (-each.parameters, -(each.multiply_adds or 0))))


def _inner(description: Description) -> tuple[str, ...]:
    if not description.inner:
        return ()
    return (f"{description.inner} operators lie inside If, Loop or Scan; their parameters and sums are not counted",)
