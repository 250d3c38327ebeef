"""Computes what a written Core ML program says, operation by operation in NumPy: on any system, without Core ML.

It shows that the package holds the right operations, weights and order; not how Apple's hardware rounds. Float16 is
rounded after every operation, sums within one are taken in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.coreml.library import CoreMlObject, import_coremltools
from devices.engines.engine import Tensors
from devices.engines.host_pictures import model_pictures
from devices.engines.image_input import ImageTensor
from devices.errors import InferenceError, ModelFileError
from devices.models import coreml_kernels, coreml_layer_kernels
from devices.models.coreml_kernels import Kernel

KERNELS: Mapping[str, Kernel] = {**coreml_kernels.KERNELS, **coreml_layer_kernels.KERNELS}
_WEIGHTS = Path("Data", "com.apple.CoreML", "weights")


class EvaluatedPackage:
    """A `.mlpackage` that computes in NumPy; takes and gives what a session of the Core ML engine does."""

    def __init__(self, path: Path, picture: ImageTensor | None = None) -> None:
        """Read the package.

        Args:
            path: of the `.mlpackage`.
            picture: its input that is fed with uint8 (1, height, width, 3) BGR pictures, or None.

        Raises:
            ModelFileError: it is no package of one program.
            EngineUnavailable: coremltools is not installed.
        """
        library = import_coremltools()
        try:
            spec = library.utils.load_spec(str(path))
            self._block = _program(spec, path / _WEIGHTS).functions["main"]
        except Exception as error:  # its readers raise everything from KeyError to their own
            raise ModelFileError(f"{path}: no package of a Core ML program: {error}") from error
        self._bgr = {each.name for each in spec.description.input if _is_bgr(each)}
        self._images = {each.name for each in spec.description.input if each.type.HasField("imageType")}
        self._picture = picture

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Compute once; float16 comes as float32.

        Raises:
            InferenceError: an operation is not known here.
        """
        values: dict[str, Any] = {name: self._fed(name, array) for name, array in tensors.items()}
        with np.errstate(all="ignore"):  # float16 overflows to infinity, which the comparison finds
            for operation in self._block.operations:
                _run(operation, values)
        return {each.name: _plain(_value(each, values)) for each in self._block.outputs}

    def _fed(self, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """As Core ML hands it to the program: a picture as (1, 3, height, width) of 0 to 255 in its own order."""
        if name in self._images:
            ordered = array if name in self._bgr else array[..., ::-1]
            return np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)
        if self._picture is not None and name == self._picture.spec.name:
            return model_pictures(self._picture, np.asarray(array, np.uint8))
        return array.astype(np.int32) if array.dtype.kind in "iu" else array


def _program(spec: CoreMlObject, weights: Path) -> CoreMlObject:
    from coremltools.converters.mil.frontend.milproto.load import load  # noqa: PLC0415 - as the library

    return load(spec, spec.specificationVersion, str(weights))


def _is_bgr(feature: CoreMlObject) -> bool:
    image = feature.type.imageType
    return bool(feature.type.HasField("imageType") and image.ColorSpace.Name(image.colorSpace) == "BGR")


def _run(operation: CoreMlObject, values: dict[str, Any]) -> None:
    if operation.op_type == "const":
        return
    kernel = KERNELS.get(operation.op_type)
    if kernel is None:
        raise InferenceError(f"the operation {operation.op_type} of the package is not known here: it is not checked")
    given = {name: _given(value, values) for name, value in operation.inputs.items() if value is not None}
    try:
        made = kernel(given)
    except (KeyError, ValueError, NotImplementedError) as error:
        raise InferenceError(f"the operation {operation.op_type} of the package cannot be computed: {error}") from error
    results = made if isinstance(made, tuple) else (made,)
    for variable, result in zip(operation.outputs, results, strict=True):
        values[variable.name] = np.asarray(result).astype(_dtype(variable))


def _given(value: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a variable or a list of them
    if isinstance(value, (list, tuple)):
        return [_given(each, values) for each in value]
    return _plain(_value(value, values))


def _value(variable: CoreMlObject, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an array, a number or a word
    return values.get(variable.name, variable.val)


def _plain(value: Any) -> Any:  # noqa: ANN401 - as above
    return value.astype(np.float32) if getattr(value, "dtype", None) == np.float16 else value


def _dtype(variable: CoreMlObject) -> npt.DTypeLike:
    from coremltools.converters.mil.mil import types  # noqa: PLC0415 - as the library

    dtype: npt.DTypeLike = types.nptype_from_builtin(variable.dtype)
    return dtype
