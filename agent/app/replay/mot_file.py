"""Tracks as MOTChallenge text, for evaluators."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from agent.app.replay.part_file import PartFile
from agent.track.tracked import TrackedFrame


class MotFile:
    """Writes `frame,id,x,y,w,h,score,class,-1,-1`: frames from 1, boxes in pixels, one row a track and frame.

    Boxes are the tracker's, not clipped to the picture: MOTChallenge truth is not clipped either
    (MOT16: A Benchmark for Multi-Object Tracking, 2016, section on the submission format).
    """

    def __init__(self, path: Path) -> None:
        self._part = PartFile(path)
        self._stream = self._part.path.open("w", encoding="ascii")

    def write(self, tracked: TrackedFrame) -> None:
        """One row for each confirmed track of the frame."""
        tracks = tracked.tracks
        frame_number = tracked.frame.info.sequence
        for box, score, class_id, track_id in zip(
            tracks.boxes, tracks.scores, tracks.class_ids, tracks.track_ids, strict=True
        ):
            x1, y1, x2, y2 = box
            self._stream.write(
                f"{frame_number},{track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
                f"{score:.4f},{class_id},-1,-1\n"
            )

    def __enter__(self) -> MotFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._part.settle(keep=kind is None)
