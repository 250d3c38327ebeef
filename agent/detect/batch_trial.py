"""Whether a model that leaves its batch open really takes several pictures at once; some declare it and cannot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.signature import Signature
from agent.detect.model_picture import ModelPicture
from agent.detect.plain_inputs import plain_inputs
from devices.engines.dry_run import dry_run
from devices.engines.model_file import ModelFile
from devices.errors import InferenceError

# Greatest difference of an output's sorted values between one picture alone and among others, also as part of a value.
_ALIKE = 1e-3


def batch_fault(file: ModelFile, picture: ModelPicture, signature: Signature, count: int) -> str:
    """Run the model once on `count` pictures, the first the plain one that it was run on alone.

    Args:
        file: of the model.
        picture: its input, the batch open.
        signature: what the model gave for one plain picture.
        count: pictures at once, at least 2.

    Returns:
        Why it must be given one picture at a time, or "" where it need not.

    Raises:
        devices.errors.DevicesError: the model does not load.
    """
    tensors = plain_inputs(file, picture, count)
    pictures = tensors[picture.spec.name]
    pictures[1:] = _ramp(pictures[1:])
    try:
        outputs = dry_run(file.path, tensors)
    except InferenceError as error:
        return str(error)
    for name, alone in signature.sample.items():
        among = outputs[name]
        if among.shape != (count, *alone.shape[1:]):
            return f"output {name} has shape {among.shape} for {count} pictures"
        if not _is_alike(alone[0], among[0]):
            return f"output {name} of a picture depends on the other pictures"
    return ""


def _ramp(like: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Something that is no plain picture: values that rise from black to white."""
    white = 255 if like.dtype.kind == "u" else 1
    return np.linspace(0, white, like.size).reshape(like.shape).astype(like.dtype)


def _is_alike(alone: npt.NDArray[np.generic], among: npt.NDArray[np.generic]) -> bool:
    """Sorted, as equal scores may come in another order."""
    left, right = (np.sort(np.asarray(each, np.float64).ravel()) for each in (alone, among))
    return bool(np.allclose(left, right, rtol=_ALIKE, atol=_ALIKE))
