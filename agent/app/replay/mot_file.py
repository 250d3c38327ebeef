"""Tracks as MOTChallenge text, for evaluators."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from agent.app.replay.part_file import PartFile
from agent.app.replay.unbuffered import write_all
from agent.evaluation.following import mot_text
from agent.track.tracked import TrackedFrame


class MotFile:
    """Writes `frame,id,x,y,w,h,score,class,-1,-1`: frames from 1, boxes in pixels, one row a track and frame.

    Boxes are the tracker's, not clipped to the picture: MOTChallenge truth is not clipped either
    (MOT16: A Benchmark for Multi-Object Tracking, 2016, section on the submission format).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = PartFile(path)
        self._stream = self._part.path.open("wb", buffering=0)

    def write(self, tracked: TrackedFrame) -> None:
        """One row for each confirmed track of the frame.

        Raises:
            OutputError: they cannot be written.
        """
        write_all(self._stream, mot_text(tracked.frame.info.sequence, tracked.tracks).encode("ascii"), self._path)

    def __enter__(self) -> MotFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._part.settle(keep=kind is None)
