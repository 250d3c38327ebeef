"""Runs inside Triton's Python backend, in an environment of its own: an ONNX model as Triton wants it."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
# The backend runs the system's idea of Python; packages are those of the server's environment.
sys.path.insert(0, (HERE / "packages.txt").read_text(encoding="utf-8"))

import onnxruntime  # noqa: E402 - found by the line above
import triton_python_backend_utils as triton  # noqa: E402 - as above


class TritonPythonModel:
    """ONNX Runtime behind Triton."""

    def initialize(self, _arguments: dict[str, str]) -> None:
        """Read the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), options)

    def execute(self, requests: list) -> list:
        """Run every request."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: object) -> object:
        feeds = {
            each.name: triton.get_input_tensor_by_name(request, each.name).as_numpy()
            for each in self._session.get_inputs()
        }
        names = [each.name for each in self._session.get_outputs()]
        arrays = self._session.run(names, feeds)
        return triton.InferenceResponse([triton.Tensor(n, a) for n, a in zip(names, arrays, strict=True)])
