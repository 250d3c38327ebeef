"""An engine that answers by a function: it passes the same contract suite as the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineSpec, Tensors
from devices.engines.tensor_check import as_float32, check_tensors
from devices.errors import EngineUnavailable, InferenceError
from devices.inventory import Accelerator, AcceleratorKind

CPU = Accelerator(AcceleratorKind.CPU, "a processor of the tests", capability=("avx2",))
CPU_ENGINES = {name: runtime for name, runtime in ENGINES.items() if AcceleratorKind.CPU in runtime.drives}
"""Those of the catalogue that every machine can run."""


class FakeEngine:
    """Answers every inference with `answer(tensors)`; an exception that it raises becomes an `InferenceError`."""

    def __init__(self, spec: EngineSpec, answer: Callable[[Tensors], Tensors]) -> None:
        self._spec = spec
        self._answer = answer
        self.is_open = True

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> FakeSession:
        """A session of its own for one worker."""
        if not self.is_open:
            raise EngineUnavailable("fake: this engine is closed")
        return FakeSession(self._spec, self._answer)

    def close(self) -> None:
        """May be called twice."""
        self.is_open = False


class FakeSession:
    """One worker's way into a fake engine."""

    def __init__(self, spec: EngineSpec, answer: Callable[[Tensors], Tensors]) -> None:
        self._spec = spec
        self._answer = answer
        self._is_open = True

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once."""
        if not self._is_open:
            raise InferenceError("fake: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        try:
            answer = self._answer(dict(tensors))
        except ArithmeticError as error:
            raise InferenceError(f"fake: inference failed: {error}") from error
        return {name: as_float32(array).copy() for name, array in answer.items()}

    def close(self) -> None:
        """May be called twice."""
        self._is_open = False
