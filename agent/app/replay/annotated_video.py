"""The clip once more, with what the agent saw drawn into it."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from types import TracebackType

from agent.app.replay.drawing import draw_rate, draw_tracks
from agent.app.replay.part_file import PartFile
from agent.app.replay.video_writer import VideoWriter
from agent.track.tracked import TrackedFrame

RATE_WINDOW_FRAMES = 30


class AnnotatedVideo:
    """Writes boxes, ids, labels and the processing rate into a video at the clip's own times and first size."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = PartFile(path)
        self._writer: VideoWriter | None = None
        self._written_s: deque[float] = deque(maxlen=RATE_WINDOW_FRAMES)

    def write(self, tracked: TrackedFrame) -> None:
        """Draw one frame and append it."""
        info = tracked.frame.info
        if self._writer is None:
            self._writer = VideoWriter(
                self._part.path, self._path, info.width_px, info.height_px, info.captured_monotonic_s
            )
        picture = tracked.frame.picture.full()
        draw_tracks(picture, tracked.tracks, tracked.labels)
        draw_rate(picture, self._rate())
        self._writer.write(picture, info.captured_monotonic_s)

    def _rate(self) -> float:
        self._written_s.append(time.perf_counter())
        passed = self._written_s[-1] - self._written_s[0]
        return (len(self._written_s) - 1) / passed if passed > 0 else 0.0

    def __enter__(self) -> AnnotatedVideo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_whole = False
        try:
            if self._writer is not None:
                self._writer.close()
                is_whole = kind is None
        finally:
            self._part.settle(keep=is_whole)
