"""How the product feeds a model, where it knows the family; and the shapes of inputs that leave an axis open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.errors import ModelError, ToolInputError
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.engine import TensorSpec
from devices.engines.model_file import ModelFile

Shapes = Mapping[str, tuple[int, ...]]


def recognised(path: Path) -> DetectionPlan | str:
    """How the product feeds and reads a model; or, where it knows no such family, why, in a line."""
    try:
        return plan_model(path, ModelSettings(path=path), DetectionSettings())
    except ModelError as error:
        return str(error).splitlines()[0].removeprefix(f"{path}: ")


def input_shapes(model: ModelFile, given: Shapes, plan: DetectionPlan | None = None) -> dict[str, tuple[int, ...]]:
    """The shape of every input: given, or the model's own with a batch of one, a picture as the product feeds it.

    Args:
        model: as its file describes it.
        given: by input name; overrules.
        plan: how the product feeds it, if it does.

    Raises:
        ToolInputError: a shape is missing or does not fit, or there is no such input.
    """
    names = [spec.name for spec in model.inputs]
    if unknown := sorted(set(given) - set(names)):
        raise ToolInputError(f"{model.path}: has no input {unknown[0]}; its inputs are {', '.join(names)}")
    return {spec.name: _shape(spec, given.get(spec.name), plan) for spec in model.inputs}


def _shape(spec: TensorSpec, given: tuple[int, ...] | None, plan: DetectionPlan | None) -> tuple[int, ...]:
    takes = "x".join("?" if axis is None else str(axis) for axis in spec.shape)
    if given is None:
        usual = _usual(spec, plan)
        given = tuple(axis for axis in usual if axis is not None)
        if len(given) != len(usual):
            raise ToolInputError(f"input {spec.name} leaves its size open ({takes}): give it, --shape {spec.name}=...")
    fits = [own in {None, size} for own, size in zip(spec.shape, given, strict=False)]
    if len(given) != len(spec.shape) or not all(fits):
        raise ToolInputError(f"input {spec.name} takes {takes}; --shape says {'x'.join(map(str, given))}")
    return given


def _usual(spec: TensorSpec, plan: DetectionPlan | None) -> list[int | None]:
    axes = [1 if place == 0 and axis is None else axis for place, axis in enumerate(spec.shape)]
    if plan is not None and spec.name == plan.image.name:
        first = 1 if spec.shape[1] != 3 and spec.shape[3] == 3 else 2
        sizes = (plan.image.height_px, plan.image.width_px)
        axes[first : first + 2] = [own or size for own, size in zip(axes[first : first + 2], sizes, strict=True)]
        axes[3 if first == 1 else 1] = 3
    if plan is not None and plan.size_input is not None and spec.name == plan.size_input.name:
        axes[1] = 2
    return axes
