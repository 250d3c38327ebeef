"""What is remembered of one track while it lives."""

from __future__ import annotations

from dataclasses import dataclass

from agent.events.event import Box, clip
from agent.stream.frame import FrameInfo

# A class that flickers between two labels is no news: another label counts after so many sightings in a row.
LABEL_PATIENCE = 3


@dataclass(frozen=True)
class Sighting:
    """One track in one frame; `box` in frame pixels, clipped to the frame."""

    frame: FrameInfo
    label: str
    score: float
    box: Box

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the frame, pixels."""
        return self.frame.width_px, self.frame.height_px


def sighting(frame: FrameInfo, label: str, score: float, box: list[float]) -> Sighting:
    """Make one from a row of `Tracks`."""
    x1, y1, x2, y2 = box
    return Sighting(frame, label, score, clip((x1, y1, x2, y2), (frame.width_px, frame.height_px)))


class OpenTrack:
    """What is remembered of one track while it lives: a fixed amount, however long that is.

    Attributes:
        run_id: the run that gave the track its number.
        first, last: the first and the newest sighting.
        sightings: how many there were.
        label: what the track is taken for.
        top_score: the best score so far.
        other_label, other_sightings: what it was taken for instead, so many times in a row.
        told: label, best score and time (monotonic seconds) when it was told last; None before.
    """

    def __init__(self, track_id: int, first: Sighting, run_id: str) -> None:
        self.track_id = track_id
        self.run_id = run_id
        self.first = self.last = first
        self.sightings = 1
        self.label = first.label
        self.top_score = first.score
        self.other_label = first.label
        self.other_sightings = 0
        self.told: tuple[str, float, float] | None = None

    def see(self, sighting: Sighting) -> None:
        """Take in the newest sighting."""
        self.last = sighting
        self.sightings += 1
        self.top_score = max(self.top_score, sighting.score)
        self._weigh(sighting.label)

    def tell(self) -> None:
        """An event about the track as it is now was made."""
        self.told = (self.label, self.top_score, self.last.frame.captured_monotonic_s)

    @property
    def is_told(self) -> bool:
        """Whether the outside knows of it."""
        return self.told is not None

    def has_news(self, score_step: float, update_every_s: float) -> bool:
        """Whether a track that is told differs enough from what was told last, or was told too long ago."""
        if self.told is None:
            return False
        label, top_score, at_s = self.told
        return (
            self.label != label
            or self.top_score >= top_score + score_step
            or self.last.frame.captured_monotonic_s >= at_s + update_every_s
        )

    def _weigh(self, label: str) -> None:
        if label == self.label:
            self.other_sightings = 0
            return
        self.other_sightings = self.other_sightings + 1 if label == self.other_label else 1
        self.other_label = label
        if self.other_sightings >= LABEL_PATIENCE:
            self.label, self.other_sightings = label, 0
