"""What `POST /detect` and the other pages answer, as records that the OpenAPI document is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from agent.serve.asked import Asked
from agent.serve.job import Found
from agent.serve.refusal import Code, RefusedRequestError
from trackers import Detections

FROM_ZERO = {"ge": 0}


def _told(description: str, **more: object) -> dict[str, object]:
    """What the document says of a field."""
    return {"description": description, **more}


@dataclass(frozen=True)
class Detection:
    """One object."""

    label: str = field(metadata=_told("text of the class"))
    class_id: int = field(metadata=_told("index of the label", **FROM_ZERO))
    score: float = field(metadata=_told("confidence", ge=0, le=1))
    box: tuple[float, float, float, float] = field(
        metadata=_told("x1, y1, x2, y2 in pixels of the upright picture; may reach beyond its edges")
    )


@dataclass(frozen=True)
class Picture:
    """The picture as it was searched: upright, after its EXIF orientation."""

    width_px: int = field(metadata=_told("pixels", ge=1))
    height_px: int = field(metadata=_told("pixels", ge=1))
    format: Literal["JPEG", "PNG", "WEBP", "BMP", "GIF"] = field(metadata=_told("what was sent"))


@dataclass(frozen=True)
class Model:
    """The model that was loaded."""

    name: str = field(metadata=_told("the file's name without its ending"))
    family: str = field(metadata=_told("how its output is read"))
    sha256: str = field(metadata=_told("of the file that was loaded"))


@dataclass(frozen=True)
class Engine:
    """What ran it."""

    runtime: str = field(metadata=_told("name of the run-time"))
    version: str = field(metadata=_told("its version"))
    accelerator: str = field(metadata=_told("where it ran"))
    session: str = field(metadata=_told("which of the sessions"))
    batch: int = field(metadata=_told("pictures in the same inference", ge=1))


@dataclass(frozen=True)
class Thresholds:
    """Which detections counted."""

    score_threshold: float = field(metadata=_told("least score", ge=0, le=1))
    iou_threshold: float = field(metadata=_told("suppression", ge=0, le=1))
    max_detections: int = field(metadata=_told("the best so many", ge=1))
    labels: list[str] | None = field(metadata=_told("those that counted; null: all"))


@dataclass(frozen=True)
class Timings:
    """Where the time went, in seconds."""

    read_seconds: float = field(metadata=_told("receiving the body", **FROM_ZERO))
    decode_seconds: float = field(metadata=_told("waiting for a decoder, decoding, resizing", **FROM_ZERO))
    wait_seconds: float = field(metadata=_told("waiting for a session", **FROM_ZERO))
    detect_seconds: float = field(
        metadata=_told("the inference and reading its output, of the whole batch", **FROM_ZERO)
    )
    total_seconds: float = field(metadata=_told("from the request's head to this answer", **FROM_ZERO))


@dataclass(frozen=True)
class DetectAnswer:
    """What is in the picture, best score first."""

    image: Picture
    detections: list[Detection]
    model: Model
    engine: Engine
    thresholds: Thresholds
    timings: Timings


@dataclass(frozen=True)
class HealthAnswer:
    """Whether every loop turns."""

    alive: bool
    stalled: list[str] = field(metadata=_told("names of the threads whose loop does not turn"))


@dataclass(frozen=True)
class ReadyAnswer:
    """Whether pictures are searched."""

    ready: bool
    missing: list[str] = field(metadata=_told("what still lacks, as sentences"))
    model_changed: bool = field(metadata=_told("the model's file is no longer the one that was loaded, which goes on"))


@dataclass(frozen=True)
class Problem:
    """An error, after RFC 9457."""

    type: Literal["about:blank"]
    title: str = field(metadata=_told("what HTTP calls it"))
    status: int = field(metadata=_told("as in the answer's head", ge=400, le=599))
    detail: str = field(metadata=_told("one line for a person"))
    code: Code = field(metadata=_told("for programs; this list is closed"))


def problem_of(error: RefusedRequestError) -> Problem:
    """What the sender of a refused request is told."""
    return Problem("about:blank", error.status.phrase, int(error.status), str(error), error.code)


def told_detections(found: Detections, labels: tuple[str, ...]) -> list[Detection]:
    """One a row, in order; numbers as short as they come back the same."""
    return [
        Detection(labels[class_id], class_id, short(score), tuple(map(short, box)))  # type: ignore[arg-type] # four of them
        for class_id, score, box in zip(found.class_ids.tolist(), found.scores, found.boxes, strict=True)
    ]


def short(number: np.floating[Any]) -> float:
    """A NumPy float as the shortest decimal number that is the same in its precision."""
    return float(str(number))


def told_thresholds(asked: Asked) -> Thresholds:
    """What counted."""
    labels = None if asked.labels is None else sorted(asked.labels)
    return Thresholds(asked.score_threshold, asked.iou_threshold, asked.max_detections, labels)


@dataclass(frozen=True)
class Clocked:
    """Seconds that a request spent before a session's turn, and in all."""

    read_s: float
    decode_s: float
    total_s: float

    def told(self, found: Found) -> Timings:
        """With what the session took."""
        parts = (self.read_s, self.decode_s, found.waited_s, found.detect_s, self.total_s)
        return Timings(*(round(seconds, 6) for seconds in parts))
