"""Quantises by NNCF, OpenVINO's own quantiser; the result is an ONNX file, which the agent and its tools load."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt
import onnx

from devices.errors import EngineUnavailable, ModelFileError

Inputs = dict[str, npt.NDArray[Any]]


def quantised_by_nncf(proto: onnx.ModelProto, inputs: Sequence[Inputs], in_float: Sequence[str]) -> onnx.ModelProto:
    """The graph with NNCF's pairs, its biases corrected for what rounding shifts.

    Args:
        proto: a float model of operator set 13 or later.
        inputs: one inference each, in the model's own tensors.
        in_float: names of nodes to leave alone.

    Raises:
        EngineUnavailable: NNCF is not installed.
        ModelFileError: it cannot quantise this model.
    """
    with _quiet():
        try:
            import nncf  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise EngineUnavailable(f"nncf cannot be imported: {error}") from error
        scope = nncf.IgnoredScope(names=list(in_float), validate=False) if in_float else None
        try:
            made: onnx.ModelProto = nncf.quantize(
                proto,
                nncf.Dataset(list(inputs)),
                subset_size=len(inputs),
                preset=nncf.QuantizationPreset.PERFORMANCE,
                ignored_scope=scope,
            )
        except (RuntimeError, ValueError, KeyError, nncf.ValidationError) as error:
            raise ModelFileError(f"nncf cannot quantise this model: {error}") from error
    return made


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
