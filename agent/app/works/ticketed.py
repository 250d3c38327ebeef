"""A detect worker's answer to one frame it took."""

from __future__ import annotations

from dataclasses import dataclass

from agent.detect.detected import DetectedFrame


@dataclass(frozen=True)
class Farewell:
    """Nothing more comes from a camera as it is now: it leaves, or begins anew with another view.

    Attributes:
        camera_id: which.
        is_for_good: no camera of that name ever comes back, so that nothing of it need be remembered.
    """

    camera_id: str
    is_for_good: bool = False


@dataclass(frozen=True, eq=False)
class Ticketed:
    """A detect worker's answer to one frame it took.

    Attributes:
        camera_id: whose frame.
        ticket: place in this camera's order, without gaps.
        detected: None where detection failed: the ticket is passed over. A farewell is the last of all.
    """

    camera_id: str
    ticket: int
    detected: DetectedFrame | Farewell | None
