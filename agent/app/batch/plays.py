"""The clips in play: what lanes, writers and the progress know of each."""

from __future__ import annotations

from agent.app.batch.clips import Clip
from agent.app.batch.records import Looks
from agent.app.works.told import Told
from agent.stream.camera import Camera


class Play:
    """One clip from its first frame to its files' names. Its lane plays it, its writer writes it, others only look.

    Attributes:
        clip: which.
        lane: number of the lane that plays it.
        looks: of its file before it was opened; None where there is no file.
        began_s: on the monotonic clock.
        frames_expected: as the file says; None where that is not known.
        frames_played: decoded, known at its end.
        frames: written so far.
        failure: why nothing of it is kept; None while it may well be.
        damage: what it lacks, known at its end; "" where it is whole.
    """

    def __init__(self, clip: Clip, lane: int, looks: Looks | None, began_s: float, camera: Camera) -> None:
        self.clip, self.lane, self.looks, self.began_s = clip, lane, looks, began_s
        self.frames_expected: int | None = None
        self.frames_played = 0
        self.frames = 0
        self.failure: str | None = None
        self.damage = ""
        self._camera = camera

    def fail(self, reason: str) -> None:
        """Keep nothing of it, and play it no further; the first reason counts. Any thread."""
        if self.failure is None:
            self.failure = reason
        self._camera.stop()


class Plays:
    """Those in play, by camera; any thread."""

    def __init__(self) -> None:
        self._by_camera: dict[str, Play] = {}

    def begin(self, play: Play) -> None:
        """It is in play."""
        self._by_camera[play.clip.camera_id] = play

    def end(self, play: Play) -> None:
        """It no longer is."""
        del self._by_camera[play.clip.camera_id]

    def of(self, told: Told) -> Play:
        """Whose frame, events or end these are."""
        if told.ended is not None:
            return self._by_camera[told.ended]
        info = told.tracked.frame.info if told.tracked is not None else told.events[0]
        return self._by_camera[info.camera_id]

    def all(self) -> list[Play]:
        """In the order in which they began."""
        return list(self._by_camera.values())
