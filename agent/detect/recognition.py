"""Which family a model is of: from its shapes, its metadata, and what it gives for a plain picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.decoder import Certainty, Family, Match, Misfit
from agent.detect.decoders.families import FAMILIES
from agent.detect.decoders.signature import Signature
from agent.detect.labels import names_in
from agent.detect.model_picture import ModelPicture
from agent.detect.plain_inputs import plain_inputs
from agent.errors import ModelError
from devices.engines.dry_run import dry_run
from devices.engines.engine import Tensors, TensorSpec
from devices.engines.model_file import ModelFile

AUTO = "auto"

Run = Callable[[Path, Tensors], Tensors]
"""Runs a model once: its own outputs for its own inputs, by name, floats as float32."""


def recognise(signature: Signature, family: str = AUTO, families: Sequence[Family] = FAMILIES) -> tuple[Family, Match]:
    """The family of a model; the one named, or the only one that fits.

    Raises:
        ModelError: it fits none, or several alike, or not the one named; with what was seen and what was expected.
    """
    asked = [line for line in families if family in {AUTO, line.name}]
    answers = [(line, line.recognise(signature)) for line in asked]
    fitting = [(line, match) for line, match in answers if isinstance(match, Match)]
    clear = [(line, match) for line, match in fitting if match.certainty is Certainty.CLEAR]
    best = clear or fitting
    if not best:
        misfits = [(line, answer) for line, answer in answers if isinstance(answer, Misfit)]
        raise ModelError(_fits_none(signature, misfits))
    if len(best) > 1:
        names = " or ".join(line.name for line, _ in best)
        raise ModelError(
            f"the model may be {names}: its output looks the same and nothing in its metadata tells; "
            f"set model.family (and color_order and scale, if they differ from the family's). Seen: {signature.told()}"
        )
    return best[0]


def read_signature(file: ModelFile, picture: ModelPicture, run: Run = dry_run) -> Signature:
    """What the model declares, and gives for one plain picture.

    Args:
        file: as it describes itself.
        picture: its picture input.
        run: computes the answer; on the processor where not said otherwise.

    Raises:
        devices.errors.DevicesError: the model does not run.
    """
    sample = {name: _as_float32(tensor) for name, tensor in run(file.path, plain_inputs(file, picture)).items()}
    outputs = tuple(TensorSpec(spec.name, spec.dtype, sample[spec.name].shape) for spec in file.outputs)
    names = names_in(file.metadata)
    return Signature(file.inputs, outputs, sample, file.metadata, names, picture.width_px, picture.height_px)


def _as_float32(tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return tensor.astype(np.float32) if tensor.dtype.kind == "f" else tensor


def _fits_none(signature: Signature, misfits: Sequence[tuple[Family, Misfit]]) -> str:
    reasons = "\n".join(f"  {line.name}: {line.expects}; but {misfit.reason}" for line, misfit in misfits)
    which = f"is not of the family {misfits[0][0].name}" if len(misfits) == 1 else "fits no family sitewatch knows"
    return f"the model {which}. Seen: {signature.told()}. Expected:\n{reasons}"
