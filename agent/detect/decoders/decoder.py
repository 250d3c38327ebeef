"""The decoder seam: a run-time's output tensors become detections; and what a family says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.signature import Signature
from agent.detect.letterbox import Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections
from trackers.detections import read_only

Outputs = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Limits:
    """Which candidates become detections.

    Attributes:
        score_thresholds: float32 (classes,); a score equal to it passes. Infinity: the class is not wanted.
        iou_threshold: suppression within a class, 0 to 1.
        max_detections: a frame, at least 1.
        lowest: the least of the thresholds; nothing below it needs a second look.
    """

    score_thresholds: npt.NDArray[np.float32]
    iou_threshold: float
    max_detections: int
    lowest: np.float32 = field(init=False)

    def __post_init__(self) -> None:
        thresholds = read_only(np.asarray(self.score_thresholds, np.float32))
        object.__setattr__(self, "score_thresholds", thresholds)
        object.__setattr__(self, "lowest", thresholds.min())


class Decoder(Protocol):
    """Reads one family's output. Keeps nothing between calls; any thread may call."""

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """Detections of each picture, best score first, in frame pixels, not clipped.

        Args:
            outputs: every output by name, its first axis at least as long as `letterboxes`; more rows are padding.
            letterboxes: of each picture, in order.

        Raises:
            DetectionError: the values cannot be detections.
        """


class Certainty(Enum):
    """How sure a family is that a model is its own."""

    CLEAR = "clear"
    POSSIBLE = "possible"


@dataclass(frozen=True, eq=False)
class Match:
    """A family can read this model.

    Attributes:
        class_count: classes the model tells apart, or None where its output does not show it.
        decoder: makes the decoder for given limits.
        certainty: possible when the same shapes may mean something else.
        size_input: name of the input that takes the size boxes shall be in, or None.
    """

    class_count: int | None
    decoder: Callable[[Limits], Decoder]
    certainty: Certainty = Certainty.CLEAR
    size_input: str | None = None


@dataclass(frozen=True)
class Misfit:
    """A family cannot read this model, and why: a clause that follows "but"."""

    reason: str


@dataclass(frozen=True)
class Family:
    """One line of the table.

    Attributes:
        name: as in the site file.
        expects: the layout in one line, for people.
        preprocessing: how its models are fed unless the site file says otherwise.
        recognise: whether a model is of this family.
    """

    name: str
    expects: str
    preprocessing: Preprocessing
    recognise: Callable[[Signature], Match | Misfit]
