"""Quantises by NNCF, OpenVINO's own quantiser, into OpenVINO's own format (IR).

Not into ONNX, which NNCF can too: OpenVINO (2026.4, processor) computes wrongly with the signed pairs it puts behind a
Concat there, and a small YOLOX finds nothing any more.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx

from devices.engines.openvino.ir_file import NOTES, SUFFIX, weights_of
from devices.engines.openvino.runtime import NAME, OvObject, import_runtime, load_errors, sentence
from devices.errors import EngineLoadError, EngineUnavailable, ModelFileError

Inputs = dict[str, npt.NDArray[Any]]
_LAYERS = {
    "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MatMul",
    "Constant", "Parameter", "Result",
}  # fmt: skip


def quantised_by_nncf(
    proto: onnx.ModelProto, inputs: Sequence[Inputs], in_float: Sequence[str], folder: Path
) -> Mapping[str, bytes]:
    """The model with NNCF's rounding in it, its biases corrected for what that shifts.

    Args:
        proto: a float model.
        inputs: one inference each, in the model's own tensors.
        in_float: names of nodes to leave alone.
        folder: takes files on the way.

    Returns:
        What belongs into the `.xml` and the `.bin`, by ending.

    Raises:
        EngineUnavailable: NNCF or OpenVINO is not installed.
        EngineLoadError, ModelFileError: OpenVINO or NNCF refuses the model.
    """
    runtime = import_runtime()
    path = folder / f"model{SUFFIX}"
    with _quiet():
        try:
            network = runtime.Core().read_model(proto.SerializeToString())
            runtime.save_model(_quantised(network, inputs, in_float), str(path), compress_to_fp16=False)
        except load_errors(runtime) as error:
            raise EngineLoadError(f"{NAME} refuses the model: {sentence(error)}") from error
    return {SUFFIX: path.read_bytes(), weights_of(path).suffix: weights_of(path).read_bytes()}


def _quantised(network: OvObject, inputs: Sequence[Inputs], in_float: Sequence[str]) -> OvObject:
    try:
        import nncf  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise EngineUnavailable(f"nncf cannot be imported: {error}") from error
    noted = network.get_rt_info()
    notes = noted[NOTES] if NOTES in noted and isinstance(noted[NOTES], dict) else {}
    scope = nncf.IgnoredScope(names=_names_of(network, in_float), types=_other_types(network), validate=False)
    try:
        made = nncf.quantize(
            network,
            nncf.Dataset(list(inputs)),
            subset_size=len(inputs),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=scope,
        )
    except (ValueError, KeyError, nncf.ValidationError) as error:
        raise ModelFileError(f"nncf cannot quantise this model: {error}") from error
    for key, value in notes.items():
        made.set_rt_info(getattr(value, "value", value), [NOTES, key])
    return made


def _names_of(network: OvObject, nodes: Sequence[str]) -> list[str]:
    """OpenVINO's operations made of these ONNX nodes: one of the same name, or several below it."""
    starts = tuple(f"{name}/" for name in nodes)
    named = [
        operation.get_friendly_name() for operation in network.get_ops() if operation.get_type_name() != "Constant"
    ]
    return [name for name in named if name in nodes or name.startswith(starts)]


def _other_types(network: OvObject) -> list[str]:
    """Everything but layers: with activations and Concats rounded too, a small YOLOX loses a fifth of its AP."""
    return sorted({operation.get_type_name() for operation in network.get_ops()} - _LAYERS)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its progress bars and advice go to standard output."""
    logger = logging.getLogger("nncf")
    before = logger.level
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            logger.setLevel(logging.ERROR)
            yield
    finally:
        logger.setLevel(before)
