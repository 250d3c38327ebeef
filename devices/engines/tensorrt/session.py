"""One worker's way into a TensorRT engine: tensors into page-locked memory, work to the CUDA thread, answers out."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.engine import EngineSpec, Tensors
from devices.engines.host_pictures import write_pictures
from devices.engines.image_input import ImageTensor
from devices.engines.tensor_check import check_outputs, check_tensors
from devices.engines.tensorrt.buffers import BufferSet
from devices.engines.tensorrt.cuda_driver import CudaError
from devices.engines.tensorrt.loaded import LoadedEngine
from devices.engines.tensorrt.places import Shape, TensorPlace
from devices.errors import InferenceError


@dataclass(frozen=True)
class Ways:
    """How our tensors and the engine's belong together.

    Attributes:
        names: the engine's name of each of our inputs.
        host_pictures: the image input whose pictures are prepared on the processor, or None.
    """

    names: Mapping[str, str]
    host_pictures: ImageTensor | None = None


class TensorRtSession:
    """One set of buffers; dropped without `close`, it is closed all the same."""

    def __init__(self, spec: EngineSpec, loaded: LoadedEngine, buffers: BufferSet, ways: Ways) -> None:
        self._spec = spec
        self._loaded = loaded
        self._buffers: BufferSet | None = buffers
        self._ways = ways
        self._places = {place.name: place for place in loaded.places}
        self._release = weakref.finalize(self, loaded.release, buffers)

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once. The tensors are read before it returns, the results are copies.

        Raises:
            InferenceError: the tensors are not what the model takes, or TensorRT or CUDA failed.
        """
        buffers = self._buffers
        if buffers is None:
            raise InferenceError("tensorrt: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        shapes = {self._ways.names[name]: self._fill(buffers, name, array) for name, array in tensors.items()}
        found: dict[str, Shape] = {}
        try:
            self._loaded.thread.run(lambda: buffers.enqueue(shapes, found))
        except CudaError as error:
            raise InferenceError(f"tensorrt: inference failed: {error}") from error
        answer = {spec.name: self._answer(buffers, spec.name, spec.dtype, found) for spec in self._spec.outputs}
        check_outputs(self._spec.outputs, answer)
        return answer

    def close(self) -> None:
        """Free the buffers, on the CUDA thread; may be called twice."""
        self._buffers = None
        self._release()

    def _fill(self, buffers: BufferSet, name: str, array: npt.NDArray[Any]) -> Shape:
        place = self._places[self._ways.names[name]]
        tensor = self._ways.host_pictures
        if tensor is not None and tensor.spec.name == name:
            shape = tuple(axis or len(array) for axis in (len(array), *tensor.spec.shape[1:]))
            write_pictures(tensor, array, self._host(buffers, place, shape))
        else:
            shape = array.shape
            np.copyto(self._host(buffers, place, shape), array, casting="same_kind")
        return shape

    def _host(self, buffers: BufferSet, place: TensorPlace, shape: Shape) -> npt.NDArray[Any]:
        if any(axis > largest for axis, largest in zip(shape, place.largest, strict=True)):
            raise InferenceError(f"tensorrt: the engine was built for at most {place.largest}, got {shape}")
        return buffers.host(place, shape)

    def _answer(self, buffers: BufferSet, name: str, dtype: str, shapes: Mapping[str, Shape]) -> npt.NDArray[Any]:
        return buffers.host(self._places[name], shapes[name]).astype(dtype)
