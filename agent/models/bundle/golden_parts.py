"""What a model finds in the golden pictures, as a part of its bundle: JSON, so that a person can read it too."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agent.models.bundle.fault import FaultError
from agent.models.bundle.written import Written
from trackers import Detections

MOST_BOXES = 10_000
MOST_CLASSES = 100_000
FARTHEST_PX = 1e6


def write_found(found: Sequence[Detections]) -> bytes:
    """The detections of each picture, in its pixels, best score first; no digit is lost."""
    pictures = [
        {"boxes": each.boxes.tolist(), "scores": each.scores.tolist(), "class_ids": each.class_ids.tolist()}
        for each in found
    ]
    return json.dumps({"pictures": pictures}, indent=1, allow_nan=False).encode() + b"\n"


def read_found(content: bytes, what: str, pictures: int) -> tuple[Detections, ...]:
    """The detections of each picture.

    Args:
        content: of the part.
        what: its name, for errors.
        pictures: how many there must be.

    Raises:
        FaultError: it is no such part, or of another number of pictures.
    """
    try:
        written = Written(json.loads(content), what)
    except (ValueError, RecursionError) as error:
        raise FaultError(f"{what} is no JSON") from error
    found = tuple(_read(each, what) for each in written.sections("pictures", pictures))
    written.refuse_rest()
    if len(found) != pictures:
        raise FaultError(f"{what} tells of {len(found)} pictures, and there are {pictures}")
    return found


def _read(written: Written, what: str) -> Detections:
    boxes, scores, class_ids = (_numbers(written.get(key), what) for key in ("boxes", "scores", "class_ids"))
    written.refuse_rest()
    is_possible = (np.abs(boxes) < FARTHEST_PX).all() and ((scores >= 0) & (scores <= 1)).all()
    is_class = ((class_ids >= 0) & (class_ids < MOST_CLASSES) & (class_ids == np.floor(class_ids))).all()
    if not is_possible or not is_class or len(scores) > MOST_BOXES:
        raise FaultError(f"{what} holds numbers that no detection has")
    try:
        return Detections(
            boxes.reshape(-1, 4).astype(np.float32), scores.astype(np.float32), class_ids.astype(np.int32)
        )
    except ValueError as error:
        raise FaultError(f"{what} holds no detections") from error


def _numbers(value: object, what: str) -> npt.NDArray[np.float64]:
    try:
        return np.array(value if isinstance(value, list) else None, np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FaultError(f"{what} holds no detections") from error
