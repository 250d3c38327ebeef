"""The `config.pbtxt` of a model: Triton's ModelConfig as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import ToolInputError
from agent.models.triton.back_ends import AUTO, CPU, GPU, BackEnd, Instances
from agent.models.triton.pbtxt import Message, Value, Word, pbtxt
from agent.models.triton.served_model import ServedModel
from devices.engines.engine import TensorSpec
from devices.engines.kserve.connection import DATATYPES

LABELS_NAME = "labels.txt"
KINDS = {AUTO: "KIND_AUTO", CPU: "KIND_CPU", GPU: "KIND_GPU"}
Field = tuple[str, Value]


@dataclass(frozen=True)
class Batching:
    """How a server puts requests together.

    Attributes:
        preferred: sizes it waits for; empty leaves that to the server.
        delay_us: how long a request waits for others, microseconds.
    """

    preferred: tuple[int, ...] = ()
    delay_us: int = 0


@dataclass(frozen=True)
class Serving:
    """How a server shall run a model.

    Attributes:
        name: of the model on the server.
        back_end: what runs it.
        instances: how many, and where.
        batching: where the model takes several pictures at once.
        warms_up: whether it is run once before it counts as ready.
        environment: folder of the Python environment for the python back end, or None for the server's own.
        threads: processor threads of one inference of the python back end.
    """

    name: str
    back_end: BackEnd
    instances: Instances = field(default_factory=Instances)
    batching: Batching = field(default_factory=Batching)
    warms_up: bool = False
    environment: Path | None = None
    threads: int = 1


def config_pbtxt(model: ServedModel, serving: Serving) -> str:
    """The configuration, complete: Triton need not guess anything.

    Raises:
        ToolInputError: a preferred batch is larger than the largest, or none can be asked for.
    """
    own, needed = serving.back_end.field
    fields: list[Field] = [("name", serving.name), (own, needed), ("max_batch_size", model.largest_batch)]
    file = next(iter(model.files))
    if serving.back_end.name == "openvino" and file != "model.xml":
        fields.append(("default_model_filename", file))
    fields += [("input", _tensor(spec, model)) for spec in model.inputs]
    fields += [("output", _tensor(spec, model, is_labelled=n == 0)) for n, spec in enumerate(model.outputs)]
    fields += [*_batching(model, serving.batching), _instances(serving), *_parameters(serving)]
    if serving.warms_up:
        fields.append(("model_warmup", _warm_up(model)))
    return pbtxt(Message(tuple(fields)))


def _tensor(spec: TensorSpec, model: ServedModel, *, is_labelled: bool = False) -> Message:
    fields: list[Field] = [("name", spec.name), ("data_type", _data_type(spec)), ("dims", _axes(spec, model))]
    if is_labelled:
        fields.append(("label_filename", LABELS_NAME))
    return Message(tuple(fields))


def _data_type(spec: TensorSpec) -> Word:
    datatype = DATATYPES.get(spec.dtype)
    if datatype is None:
        raise ToolInputError(f"the tensor {spec.name} is of the type {spec.dtype}, which servers do not know")
    return Word(f"TYPE_{datatype}")


def _axes(spec: TensorSpec, model: ServedModel) -> tuple[int, ...]:
    """Without the batch, which Triton adds where there is a largest one; -1 is open."""
    axes = spec.shape[1:] if model.largest_batch else spec.shape
    return tuple(-1 if axis is None else axis for axis in axes)


def _batching(model: ServedModel, batching: Batching) -> Iterator[Field]:
    if not model.largest_batch:
        if batching.preferred:
            raise ToolInputError("--preferred: this model takes no batches; leave it out")
        return
    if batching.preferred and max(batching.preferred) > model.largest_batch:
        raise ToolInputError(
            f"--preferred: {max(batching.preferred)} is more than the largest batch, {model.largest_batch}"
        )
    fields: list[Field] = [("preferred_batch_size", batching.preferred)] if batching.preferred else []
    yield "dynamic_batching", Message((*fields, ("max_queue_delay_microseconds", batching.delay_us)))


def _instances(serving: Serving) -> Field:
    wanted = serving.instances
    kind = wanted.kind if wanted.kind != AUTO or len(serving.back_end.kinds) > 2 else serving.back_end.kinds[-1]
    kind = GPU if wanted.gpus else kind
    fields: list[Field] = [("count", wanted.count), ("kind", Word(KINDS[kind]))]
    if wanted.gpus:
        fields.append(("gpus", wanted.gpus))
    return "instance_group", Message(tuple(fields))


def _parameters(serving: Serving) -> Iterator[Field]:
    if serving.back_end.name != "python":
        return
    values = {"threads": str(serving.threads)}
    if serving.environment is not None:
        values["EXECUTION_ENV_PATH"] = str(serving.environment)
    for key, value in values.items():
        yield "parameters", Message((("key", key), ("value", Message((("string_value", value),)))))


def _warm_up(model: ServedModel) -> Message:
    """One picture, all black, in the size the agent sends."""
    inputs: list[Field] = []
    for spec in model.inputs:
        value: tuple[Field, ...] = (
            ("data_type", _data_type(spec)),
            ("dims", _closed(spec, model)),
            ("zero_data", True),
        )
        inputs.append(("inputs", Message((("key", spec.name), ("value", Message(value))))))
    return Message((("name", "one black picture"), ("batch_size", 1), *inputs))


def _closed(spec: TensorSpec, model: ServedModel) -> tuple[int, ...]:
    """The axes, with the picture's size in place of open ones; what is no picture takes its two sides."""
    image, shape = model.plan.image, spec.shape
    height_axis = 1 if len(shape) == 4 and shape[3] == 3 and shape[1] != 3 else 2
    sides = {0: 1, height_axis: image.height_px, height_axis + 1: image.width_px} if len(shape) == 4 else {0: 1, 1: 2}
    closed = tuple(sides.get(n, 3) if axis is None else axis for n, axis in enumerate(shape))
    return closed[1:] if model.largest_batch else closed
