"""Carried into other people's servers: an ONNX model that takes and gives tensors by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class OnnxSession:
    """ONNX Runtime on the processor; used by one thread."""

    def __init__(self, path: Path, threads: int) -> None:
        """Read the model."""
        import onnxruntime  # noqa: PLC0415 - a run-time is imported where it is used

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._outputs = [each.name for each in self._session.get_outputs()]

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Run once; float16 outputs come as float32."""
        found = self._session.run(self._outputs, dict(tensors))
        return {
            name: array.astype(np.float32) if array.dtype == np.float16 else array
            for name, array in zip(self._outputs, found, strict=True)
        }
