"""OpenVINO behind the engine seam: makes a model ready on one of its devices, and runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import ModelFile, read_model
from devices.engines.openvino.compiling import Compiling
from devices.engines.openvino.ir_file import is_ir, read_ir
from devices.engines.openvino.network import fitted, output_ports, output_spec
from devices.engines.openvino.places import accelerator_of, find_place, running_devices
from devices.engines.openvino.runtime import NAME, OvObject, import_runtime, make_core, sentence
from devices.engines.openvino.settings import computed_with, precision_notes, precision_of
from devices.engines.tensor_check import as_float32, check_outputs, check_tensors
from devices.errors import EngineUnavailable, InferenceError


def load(request: EngineRequest) -> Engine:
    """Make the model ready on the request's device, or its accelerator, with a stream for each of `sessions` sessions.

    On the processor every stream has `threads` threads. An NPU fixes an open batch at `largest_batch`.

    Raises:
        ModelFileError: the file is no ONNX model, and no OpenVINO model.
        EngineUnavailable: OpenVINO is not installed, does not find the device, or would run elsewhere than asked.
        EngineLoadError: it refuses the model.
    """
    model = read_ir(request.model) if is_ir(request.model) else read_model(request.model)
    engine_inputs(model, request)  # what cannot be fed is told first
    runtime = import_runtime()
    core = make_core(runtime)
    place = find_place(request, core.available_devices)
    making = Compiling(runtime, core, model, fitted(request, model, place), place)
    compiled, notes = making.compiled()
    return OpenVinoEngine(_spec(making, compiled, notes), compiled, model)


class OpenVinoEngine:
    """One compiled model, from which any thread may ask for requests."""

    def __init__(self, spec: EngineSpec, compiled: OvObject, model: ModelFile) -> None:
        self._spec = spec
        self._compiled = compiled
        self._ports = output_ports(model, compiled)

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> OpenVinoSession:
        """A session of its own for one worker.

        Raises:
            EngineUnavailable: the engine is closed.
        """
        if self._compiled is None:
            raise EngineUnavailable("openvino: this engine is closed")
        return OpenVinoSession(self._spec, self._compiled.create_infer_request(), self._ports)

    def close(self) -> None:
        """Let go of the model; the last session to close frees it."""
        self._compiled = None
        self._ports = {}


class OpenVinoSession:
    """One inference request, which only one thread may use at a time."""

    def __init__(self, spec: EngineSpec, request: OvObject, ports: Mapping[str, OvObject]) -> None:
        self._spec = spec
        self._request = request
        self._ports = ports

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once: the tensors are read in place, the results are copies, so the next run does not touch them.

        Raises:
            InferenceError: the tensors are not what the model takes, or the run-time failed.
        """
        if self._request is None:
            raise InferenceError("openvino: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        try:
            results = self._request.infer(dict(tensors), share_inputs=True, share_outputs=False)
        except RuntimeError as error:
            raise InferenceError(f"openvino: inference failed: {sentence(error)}") from error
        answer = {name: as_float32(results[port]) for name, port in self._ports.items()}
        check_outputs(self._spec.outputs, answer)  # open shapes that clash make no error here, but other shapes
        return answer

    def close(self) -> None:
        """Let go of the request and its buffers."""
        self._request = None
        self._ports = {}


def _spec(making: Compiling, compiled: OvObject, cache_notes: tuple[str, ...]) -> EngineSpec:
    model, request, place = making.model, making.request, making.place
    devices = running_devices(place, compiled, request.build.deadline_s)
    computed = computed_with(compiled, place, devices)
    ran = (f"{place.name} runs on {', '.join(devices)}",) if place.mode else ()
    return EngineSpec(
        runtime=NAME,
        runtime_version=making.runtime.__version__.split("-")[0],
        accelerator=accelerator_of(making.core, devices[0], request),
        precision=precision_of(model.precision, computed, devices),
        inputs=engine_inputs(model, request),
        outputs=tuple(output_spec(name, port) for name, port in output_ports(model, compiled).items()),
        model_sha256=model.sha256,
        notes=(*place.notes, *ran, *precision_notes(request, model.precision, computed), *cache_notes),
    )
