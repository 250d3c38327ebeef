"""What outlives the tracks of a tracker: the numbers given so far, and those that ended."""

from __future__ import annotations

from collections.abc import Iterable


class Ledger:
    """One a tracker, whichever way its tracks are computed just now.

    Attributes:
        last_id: the greatest number given so far.
        is_fresh: no track has begun since the scene began; its first tracks need no second detection.
        refused: how many detections stayed out so far.
    """

    def __init__(self) -> None:
        self.last_id = 0
        self.is_fresh = True
        self.refused = 0
        self._ended: list[int] = []

    def next_id(self) -> int:
        """A number that no track of this tracker ever had."""
        self.last_id += 1
        return self.last_id

    def end(self, track_ids: Iterable[int]) -> None:
        """These tracks, known outside, are over."""
        self._ended.extend(track_ids)

    @property
    def ended(self) -> tuple[int, ...]:
        """What ended and is not told yet."""
        return tuple(self._ended)

    def take_ended(self) -> list[int]:
        """What ended since the last time, told once."""
        ended, self._ended = self._ended, []
        return ended
