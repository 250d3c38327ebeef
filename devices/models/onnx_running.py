"""Runs a graph on ONNX Runtime's processor kernels, with or without its own optimisations: to compare graphs by."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from devices.engines.engine import EngineRequest, ImageInput, Tensors
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.model_file import read_model
from devices.engines.onnxruntime_engine import import_runtime, open_session, runtime_errors, session_options
from devices.engines.onnxruntime_providers import CPU_PROVIDER
from devices.errors import InferenceError
from devices.inventory import Accelerator, AcceleratorKind

_CPU = Accelerator(kind=AcceleratorKind.CPU, name="CPU")


class OnnxRun:
    """One graph, ready to run; used by one thread."""

    def __init__(self, path: Path, image: ImageInput | None = None, *, optimised: bool, threads: int = 1) -> None:
        """Make it ready.

        Args:
            path: of the ONNX file.
            image: as an engine is asked for one: pictures are made the image tensor inside the graph; or None to take
                the model's own tensors.
            optimised: let ONNX Runtime change the graph as it does by default; else run it node by node as it is.
            threads: of one inference.

        Raises:
            ModelFileError: the file is no model.
            EngineUnavailable: ONNX Runtime is not installed.
            EngineLoadError: it refuses the model.
        """
        runtime = import_runtime()
        model, request = read_model(path), EngineRequest(path, _CPU, image=image, threads=threads)
        options = session_options(runtime, request)
        if not optimised:
            options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        graph = prepared_graph(model, request)
        self._session = open_session(runtime, model, graph, options, providers=[CPU_PROVIDER])
        self._errors = runtime_errors(runtime)
        self._outputs = [spec.name for spec in model.outputs]
        self._names = {} if image is None else {image.name: PICTURES}

    def answer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """The model's outputs, in the types it gives them.

        Raises:
            InferenceError: the tensors are not what the model takes, or it fails.
        """
        feeds = {self._names.get(name, name): array for name, array in tensors.items()}
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))
        except self._errors as error:
            raise InferenceError(f"onnxruntime: inference failed: {error}") from error

    def time_s(self, tensors: Mapping[str, npt.NDArray[Any]]) -> float:
        """How long one inference takes, in seconds."""
        began_s = time.perf_counter()
        self.answer(tensors)
        return time.perf_counter() - began_s
