"""A model, bare or in a bundle, planned for as many pictures at once as it can take."""

from __future__ import annotations

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.model_picture import find_picture
from agent.models.bundle.bundle import is_bundle
from agent.models.bundle.planning import plan_bundle
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.any_model import read_any_model
from devices.engines.model_file import ModelFile


def plan_open(
    model: ModelSettings, largest_batch: int, detection: DetectionSettings | None = None
) -> tuple[ModelFile, DetectionPlan]:
    """Read the model, and run it: with one picture, and where it leaves its batch open also with the largest.

    Of a bundle the file lives as long as the plan.

    Raises:
        ModelError: it is no detection model that the agent knows, or a bundle that is not what was packed.
        DevicesError: it cannot be read or run.
    """
    counted = detection or DetectionSettings()
    if is_bundle(model.path):
        plan = plan_bundle(model, counted, None)
        file = read_any_model(plan.path)
        if largest_batch > 1 and _leaves_batch_open(file, model):
            plan = plan_bundle(model.model_copy(update={"batch": largest_batch}), counted, None)
            file = read_any_model(plan.path)
        return file, plan
    file = read_any_model(model.path)
    batch = largest_batch if _leaves_batch_open(file, model) else 1
    return file, plan_model(model.path, model.model_copy(update={"batch": batch}), counted)


def _leaves_batch_open(file: ModelFile, model: ModelSettings) -> bool:
    return find_picture(file.inputs, file.metadata, model.input_size).batch is None
