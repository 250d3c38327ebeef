"""A PyTorch module in eval mode: run on arrays, asked for its names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from devices.engines.onnxruntime_engine import import_runtime
from devices.errors import InferenceError
from devices.models.torch_failures import reason
from devices.models.torch_library import TorchObject, import_torch, silence

Arrays = tuple[npt.NDArray[Any], ...]


class Answer(NamedTuple):
    """What a module gave: every tensor in order, and the names it has for them (of a mapping), or none."""

    arrays: Arrays
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A module, ready to run on the processor.

    Attributes:
        module: PyTorch's, in eval mode.
        name: of its class, for people.
        is_script: it is TorchScript.
    """

    module: TorchObject
    name: str
    is_script: bool

    @property
    def parameter_count(self) -> int:
        """How many numbers it has learnt."""
        return sum(int(parameter.numel()) for parameter in self.module.parameters())

    @property
    def is_half(self) -> bool:
        """Some of its parameters have half precision."""
        torch = import_torch()
        return any(parameter.dtype in {torch.float16, torch.bfloat16} for parameter in self.module.parameters())

    def input_names(self, count: int) -> tuple[str, ...]:
        """The names its own code gives its first inputs; made up where it does not tell."""
        made_up = ("input",) if count == 1 else tuple(f"input{number}" for number in range(count))
        own = self._own_input_names()
        return (*own[:count], *made_up[len(own) :])

    def answer(self, inputs: Sequence[npt.NDArray[Any]]) -> Answer:
        """Run once, without gradients.

        Raises:
            InferenceError: it does not take these inputs, or gives something other than tensors.
        """
        torch = import_torch()
        try:
            with silence(), torch.no_grad():
                found = self.module(*self.tensors(inputs))
        except Exception as error:  # the code of others may raise anything
            raise InferenceError(f"{self.name} fails on {shapes(inputs)}: {reason(error)}") from error
        tensors = list(self._tensors_in(found))
        names = tuple(map(str, found)) if isinstance(found, Mapping) and len(found) == len(tensors) else ()
        return Answer(tuple(_array(tensor) for tensor in tensors), names)

    def tensors(self, inputs: Sequence[npt.NDArray[Any]]) -> tuple[TorchObject, ...]:
        """The same numbers as PyTorch holds them; copies."""
        torch = import_torch()
        return tuple(torch.from_numpy(array.copy()) for array in inputs)

    def _own_input_names(self) -> tuple[str, ...]:
        if self.is_script:
            return tuple(argument.name for argument in self.module.forward.schema.arguments[1:])
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(self.module.forward).parameters.values()
        return tuple(parameter.name for parameter in parameters if parameter.kind in kinds)

    def _tensors_in(self, found: object) -> Iterator[TorchObject]:
        """Every tensor of an answer, in the order in which exporters list them."""
        if isinstance(found, import_torch().Tensor):
            yield found
        elif isinstance(found, Mapping):
            for each in found.values():
                yield from self._tensors_in(each)
        elif isinstance(found, tuple | list):
            for each in found:
                yield from self._tensors_in(each)
        else:
            kind = "nothing (None)" if found is None else f"a value of type {type(found).__name__}"
            raise InferenceError(f"{self.name} gives {kind} beside or in place of tensors; ONNX holds tensors only")


def compared_versions() -> dict[str, str]:
    """What is compared, with versions."""
    return {"ONNX Runtime": str(import_runtime().__version__), "PyTorch": str(import_torch().__version__)}


def shapes(inputs: Sequence[npt.NDArray[Any]]) -> str:
    """What was given, for people: "1x3x416x416 float32"."""
    return ", ".join(f"{'x'.join(map(str, array.shape)) or 'a number'} {array.dtype}" for array in inputs)


def _array(tensor: TorchObject) -> npt.NDArray[Any]:
    torch = import_torch()
    plain = tensor.detach().cpu()
    return np.asarray((plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())
