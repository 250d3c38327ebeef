"""A model as a server shall hold it: its tensors there, and the files it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.errors import ToolInputError
from agent.models.open_batch import plan_open
from agent.models.triton.back_ends import BackEnd
from agent.models.triton.held_file import held_files, ir_files
from agent.models.whole_results import Content
from agent.settings.models import ModelSettings
from devices.engines.coreml.package import is_core_ml
from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.image_input import image_tensor
from devices.engines.model_file import ModelFile
from devices.engines.openvino.ir_file import is_ir
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.onnx_whole import read_graph, weight_files

CPU = Accelerator(AcceleratorKind.CPU, "the processor")
OWN_NAME = "model.onnx"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model, read and understood, as a server shall hold it.

    Attributes:
        plan: how the agent feeds and reads it.
        inputs, outputs: as the server has them; an axis that is open is None.
        largest_batch: pictures at once; 0 where the server must take the tensors as they stand.
        files: of the version's folder; the first is the one to load.
        notes: what a person should know.
    """

    plan: DetectionPlan
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    largest_batch: int
    files: dict[str, Content]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """What shall be served.

    Attributes:
        model: the ONNX model and what a site file would say of it.
        held: a file made of it that the server loads in its place, or None.
        takes_pictures: the server takes uint8 pictures, as small as they can travel.
        largest_batch: pictures at once, where the model leaves that open.
    """

    model: ModelSettings
    held: Path | None = None
    takes_pictures: bool = False
    largest_batch: int = 8


def served_model(wish: Wish, back_end: BackEnd) -> ServedModel:
    """Read the model, run it once to see how many pictures it takes at once, and say what a server needs.

    Raises:
        ModelError: it is no detection model that the agent knows.
        DevicesError: it cannot be read or run.
        ToolInputError: what the server shall hold is not made of it.
    """
    if is_core_ml(wish.model.path):
        raise ToolInputError(f"{wish.model.path}: a Core ML model runs on Apple's machines only; give the ONNX model")
    if is_ir(wish.model.path) and (wish.held is not None or wish.takes_pictures):
        raise ToolInputError(f"{wish.model.path}: an OpenVINO model is served as it is; give the ONNX model for more")
    file, plan = plan_open(wish.model, wish.largest_batch)
    inputs, outputs = file.inputs, _outputs(file, plan)
    if wish.takes_pictures:
        request = EngineRequest(file.path, CPU, image=plan.image)
        inputs = tuple(_as_pictures(file, request, spec) for spec in inputs)
    is_batched = plan.batch > 1 and not plan.is_batch_fixed
    is_batched = is_batched and all(spec.shape[0] is None for spec in (*inputs, *outputs))
    files = _files(file, plan, wish) if wish.held is None else held_files(wish.held, back_end, (inputs, outputs))
    return ServedModel(
        plan, inputs, outputs, plan.batch if is_batched else 0, files, tuple(_notes(plan, wish, is_batched=is_batched))
    )


def _outputs(file: ModelFile, plan: DetectionPlan) -> tuple[TensorSpec, ...]:
    """As the file declares them; the axes of one that declares none from what it gave."""
    given = {spec.name: spec for spec in plan.outputs}
    return tuple(
        spec if spec.shape else replace(spec, shape=(None,) * len(given[spec.name].shape)) for spec in file.outputs
    )


def _as_pictures(file: ModelFile, request: EngineRequest, spec: TensorSpec) -> TensorSpec:
    tensor = image_tensor(file, request)
    is_picture = tensor is not None and spec.name == tensor.spec.name
    return replace(tensor.pictures, name=PICTURES) if tensor is not None and is_picture else spec


def _files(file: ModelFile, plan: DetectionPlan, wish: Wish) -> dict[str, Content]:
    if is_ir(file.path):
        return ir_files(file.path)
    if wish.takes_pictures:
        return {OWN_NAME: prepared_graph(file, EngineRequest(file.path, CPU, image=plan.image))}
    beside = {
        path.relative_to(file.path.parent).as_posix(): path for path in weight_files(file.path, read_graph(file.path))
    }
    return {OWN_NAME: file.path, **beside}


def _notes(plan: DetectionPlan, wish: Wish, *, is_batched: bool) -> Iterator[str]:
    if plan.batch_fault:
        yield f"one picture at a time, as the model cannot take more: {plan.batch_fault}"
    elif not is_batched and wish.largest_batch > 1:
        yield f"no batching, as the model takes exactly {plan.batch} at once; export it with an open batch for more"
    if is_ir(plan.path):
        yield "the agent uses a model on a server by its ONNX file only: give that as MODEL, and this one as --held"
    if wish.held is not None and wish.held.suffix.lower() != ".xml":
        yield f"{wish.held.name} cannot be looked into here: nothing shows that it is made of {plan.path.name}"
