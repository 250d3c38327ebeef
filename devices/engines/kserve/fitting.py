"""How the tensors of a session and those of the server's model belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.host_pictures import model_pictures
from devices.engines.image_graph import PICTURES
from devices.engines.image_input import ImageTensor, image_tensor, model_inputs, shape_text
from devices.engines.kserve.connection import ServerFacts
from devices.engines.model_file import ModelFile
from devices.errors import EngineLoadError

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Fit:
    """How a session's tensors become the server's.

    Attributes:
        inputs: as a session takes them.
        outputs: as a session gives them.
        send: a session's tensors as the server wants them, under its names.
        note: how pictures travel.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    send: Callable[[Mapping[str, Array]], dict[str, Array]]
    note: str = ""


def fit(model: ModelFile, request: EngineRequest, facts: ServerFacts, server: str) -> Fit:
    """See that the server holds this model, as it was exported or with the pictures' way inside.

    A server that takes uint8 (N, height, width, 3) in the image input's place is sent the pictures as they are, BGR:
    its model then does itself what `prepared_graph` puts into a graph. A server that tells nothing of its model is
    believed to hold it as it was exported.

    Args:
        model: the file.
        request: how it is fed.
        facts: what the server says.
        server: for a person.

    Raises:
        EngineLoadError: it holds another model.
    """
    tensor = image_tensor(model, request)
    own = {spec.name: spec for spec in model_inputs(model, request)}
    if tensor is not None:
        own[tensor.spec.name] = tensor.spec
    there = {spec.name: spec for spec in facts.inputs or own.values()}
    takes_pictures = tensor is not None and _takes_pictures(tensor, there)
    names = {name: PICTURES if takes_pictures and tensor and name == tensor.spec.name and PICTURES in there else name
             for name in own}  # fmt: skip
    if takes_pictures and tensor is not None:
        own[tensor.spec.name] = tensor.pictures
    _require("input", {names[name]: spec for name, spec in own.items()}, there, server)
    if unknown := set(there) - set(names.values()):
        raise EngineLoadError(f"kserve: {server} wants the input {min(unknown)}, which {model.path} does not have")
    outputs = {spec.name: spec for spec in model.outputs}
    _require("output", outputs, {spec.name: spec for spec in facts.outputs} or outputs, server)
    fed = {spec.name: spec for spec in own.values()}
    if tensor is not None:
        fed[tensor.spec.name] = tensor.pictures
    return Fit(
        inputs=tuple(fed.values()),
        outputs=tuple(_as_given(spec) for spec in model.outputs),
        send=_sender(tensor if not takes_pictures else None, names),
        note="" if tensor is None else f"pictures travel as {shape_text(own[tensor.spec.name])}",
    )


def fits(wanted: TensorSpec, found: TensorSpec) -> bool:
    """Same type, same number of axes, no two that contradict each other."""
    if wanted.dtype != found.dtype:
        return False
    if not wanted.shape or not found.shape:
        return True
    return len(wanted.shape) == len(found.shape) and all(
        None in pair or pair[0] == pair[1] for pair in zip(wanted.shape, found.shape, strict=True)
    )


def _takes_pictures(tensor: ImageTensor, there: Mapping[str, TensorSpec]) -> bool:
    found = there.get(PICTURES) or there.get(tensor.spec.name)
    is_own = found is not None and found.name != PICTURES and fits(tensor.spec, found)
    return found is not None and not is_own and fits(tensor.pictures, found)


def _require(what: str, wanted: Mapping[str, TensorSpec], there: Mapping[str, TensorSpec], server: str) -> None:
    for name, spec in wanted.items():
        found = there.get(name)
        if found is None:
            names = ", ".join(there)
            raise EngineLoadError(f"kserve: the model of {server} has no {what} {name}; it has {names}")
        if not fits(spec, found):
            raise EngineLoadError(
                f"kserve: the model of {server} has the {what} {name} as {shape_text(found)}, not {shape_text(spec)}"
            )


def _as_given(spec: TensorSpec) -> TensorSpec:
    return replace(spec, dtype="float32") if spec.dtype == "float16" else spec


def _sender(tensor: ImageTensor | None, names: Mapping[str, str]) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    def send(tensors: Mapping[str, Array]) -> dict[str, Array]:
        sent = {names[name]: array for name, array in tensors.items()}
        if tensor is not None:
            sent[names[tensor.spec.name]] = model_pictures(tensor, tensors[tensor.spec.name])
        return sent

    return send


def same_model(first: Sequence[TensorSpec], second: Sequence[TensorSpec]) -> bool:
    """Whether two servers say the same of a model."""
    return sorted(first, key=lambda spec: spec.name) == sorted(second, key=lambda spec: spec.name)
