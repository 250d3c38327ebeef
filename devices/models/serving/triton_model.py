"""Runs in the Python backend of Triton, in the server's Python: an ONNX model where Triton has no back end for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

FOLDER = Path(__file__).parent
# Of Triton's module, which is found in the server only.
TritonObject: TypeAlias = Any


class TritonPythonModel:
    """ONNX Runtime on the processor. Triton calls one instance from one thread at a time."""

    def initialize(self, arguments: Mapping[str, str]) -> None:
        """Read the model that lies beside this file."""
        import onnxruntime  # noqa: PLC0415 - this module is also imported where nobody serves
        import triton_python_backend_utils  # noqa: PLC0415 - as above

        config = json.loads(arguments["model_config"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        self._triton: TritonObject = triton_python_backend_utils
        self._is_batched = config["max_batch_size"] > 0
        self._session = onnxruntime.InferenceSession(
            str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def execute(self, requests: Sequence[TritonObject]) -> list[TritonObject]:
        """One response a request; what Triton put together as a batch is run as one."""
        if not self._is_batched:
            return [response for request in requests for response in self._answers([request])]
        return self._answers(requests)

    def _answers(self, requests: Sequence[TritonObject]) -> list[TritonObject]:
        fed = [[self._given(request, name) for name in self._inputs] for request in requests]
        joined = [np.concatenate(column) if len(column) > 1 else column[0] for column in zip(*fed, strict=True)]
        try:
            found = self._session.run(self._outputs, dict(zip(self._inputs, joined, strict=True)))
        except Exception as error:  # noqa: BLE001 - whatever ONNX Runtime raises is the client's to read
            failure = self._triton.TritonError(str(error))
            return [self._triton.InferenceResponse(error=failure) for _ in requests]
        if len(requests) == 1:
            return [self._response(found)]
        ends = np.cumsum([len(tensors[0]) for tensors in fed])[:-1]
        parts = [np.split(array, ends) for array in found]
        return [self._response(arrays) for arrays in zip(*parts, strict=True)]

    def _given(self, request: TritonObject, name: str) -> TritonObject:
        return self._triton.get_input_tensor_by_name(request, name).as_numpy()

    def _response(self, arrays: Sequence[TritonObject]) -> TritonObject:
        tensors = [
            self._triton.Tensor(name, np.ascontiguousarray(array))
            for name, array in zip(self._outputs, arrays, strict=True)
        ]
        return self._triton.InferenceResponse(tensors)
