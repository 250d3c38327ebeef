"""Every parameter of the tracker, and its two named sets: the default, and the published algorithm's."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import Enum

from trackers.bytetrack.noise import NoiseWeights
from trackers.ground_plane import GroundPlane

# Per second what the publication has per frame of 30 a second.
DEFAULT_NOISE = NoiseWeights(
    position=(1 / 20, 1 / 20),
    velocity=(30 / 160, 30 / 160),
    measurement=(1 / 20, 1 / 20),
    first_position=(2 / 20, 2 / 20),
    first_velocity=(300 / 160, 300 / 160),
    aspect_is_relative=True,
    shrink_limit=0.5,
)
PUBLISHED_NOISE = NoiseWeights(
    position=(1 / 20, 1e-2),
    velocity=(1 / 160, 1e-5),
    measurement=(1 / 20, 1e-1),
    first_position=(2 / 20, 1e-2),
    first_velocity=(10 / 160, 1e-5),
    aspect_is_relative=False,
    shrink_limit=0.0,
)


class Edge(str, Enum):
    """Whether a score equal to a threshold reaches it."""

    INCLUDED = "included"
    EXCLUDED = "excluded"


class Numbering(str, Enum):
    """When a track takes its number: at confirmation numbers have no gaps."""

    AT_CONFIRMATION = "at_confirmation"
    AT_BIRTH = "at_birth"


class Removal(str, Enum):
    """How a lost track goes: when its patience is over, or with the published code's extra frame."""

    ON_TIME = "on_time"
    AS_PUBLISHED = "as_published"


@dataclass(frozen=True)
class ByteTrackSettings:
    """Parameters of `ByteTracker`; the defaults do better than the publication on every kind of scene measured.

    Attributes:
        high_threshold: score from which a detection takes part in the first association. Lower it for small
            detectors whose scores are low.
        low_threshold: score from which a detection may continue a track that the first association left.
        new_track_threshold: score from which a detection that nothing claimed begins a track.
        lost_patience_s: seconds after its last detection for which a lost track may be found again.
        high_cost_limit: greatest 1 - IoU * score of a match in the first association.
        low_cost_limit: greatest 1 - IoU of a match with a low detection.
        tentative_cost_limit: greatest 1 - IoU * score of the match that confirms a track.
        duplicate_iou: of a tracked and a lost track that overlap more than this, the younger one goes.
        other_class_weight: what a match across classes is worth, 0 (never) to 1 (as good as any).
        class_groups: classes that count as one when matching, such as car, lorry and bus.
        noise: standard deviations of the motion filter.
        frame_rate: None goes by the time given with each update. A number ignores that time: every update is one
            frame later, and patience is counted in frames of this rate.
        inclusive_px: added to widths and heights in IoU; 1 counts whole pixels, both ends in.
        edge: whether a score equal to a threshold reaches it.
        numbering: when a track takes its number.
        removal: how a lost track goes.
        ground_plane: where the ground is, for a camera that stands still; half of the similarity is then how well the
            feet agree on the ground. None goes by IoU alone. `GroundPlane` tells what it gains and costs.

    Raises:
        ValueError: a value is out of range, or a class is in two groups or a group is empty.
    """

    high_threshold: float = 0.6
    low_threshold: float = 0.1
    new_track_threshold: float = 0.7
    lost_patience_s: float = 1.0
    high_cost_limit: float = 0.9
    low_cost_limit: float = 0.5
    tentative_cost_limit: float = 0.7
    duplicate_iou: float = 0.85
    other_class_weight: float = 0.8
    class_groups: tuple[Collection[int], ...] = ()
    noise: NoiseWeights = DEFAULT_NOISE
    frame_rate: float | None = None
    inclusive_px: float = 0.0
    edge: Edge = Edge.INCLUDED
    numbering: Numbering = Numbering.AT_CONFIRMATION
    removal: Removal = Removal.ON_TIME
    ground_plane: GroundPlane | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith(_FRACTIONS) and not 0.0 <= value <= 1.0:
                raise ValueError(f"{field.name}: expected 0 to 1, got {value}")
        if self.low_threshold > self.high_threshold:
            raise ValueError(
                f"low_threshold: expected at most high_threshold ({self.high_threshold}), got {self.low_threshold}"
            )
        if not 0.0 <= self.lost_patience_s < math.inf:
            raise ValueError(f"lost_patience_s: expected finite seconds, 0 or more, got {self.lost_patience_s}")
        if self.frame_rate is not None and not 0.0 < self.frame_rate < math.inf:
            raise ValueError(f"frame_rate: expected None or more than 0, got {self.frame_rate}")
        object.__setattr__(self, "class_groups", _disjoint(self.class_groups))

    @classmethod
    def reference(cls, frame_rate: float = 30.0) -> ByteTrackSettings:
        """The published algorithm, id for id when fed float64.

        Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, and the
        authors' code (MIT). Time is counted in frames, classes are ignored, scores on a threshold are lost.
        """
        patience_frames = int(frame_rate / 30.0 * 30)
        return cls(
            lost_patience_s=patience_frames / frame_rate,
            other_class_weight=1.0,
            noise=PUBLISHED_NOISE,
            frame_rate=frame_rate,
            inclusive_px=1.0,
            edge=Edge.EXCLUDED,
            numbering=Numbering.AT_BIRTH,
            removal=Removal.AS_PUBLISHED,
        )


_FRACTIONS = ("_threshold", "_limit", "_iou", "_weight")


def _disjoint(groups: tuple[Collection[int], ...]) -> tuple[frozenset[int], ...]:
    frozen = tuple(frozenset(group) for group in groups)
    if not all(frozen):
        raise ValueError("class_groups: a group without classes")
    if len(frozenset[int]().union(*frozen)) < sum(map(len, frozen)):
        raise ValueError(f"class_groups: a class is in more than one group: {[sorted(group) for group in frozen]}")
    return frozen
