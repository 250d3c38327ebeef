"""A frame with the identities in it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.stream.frame import Frame
from trackers import Tracks


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """A frame with the identities in it.

    Attributes:
        frame: as captured.
        tracks: confirmed tracks, in frame pixels, not clipped.
        labels: text of every class id, in order.
    """

    frame: Frame
    tracks: Tracks
    labels: tuple[str, ...]
