"""How far a replay is, for a person at a terminal."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import av
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ReplayProgress:
    """A bar on standard error where that is a terminal, else nothing; a context manager of the main thread."""

    def __init__(self, clip: Path) -> None:
        self._clip = clip
        self._progress = Progress(
            TextColumn(clip.name),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames  {task.fields[rate]:.1f}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not Console(stderr=True).is_terminal,
        )

    def __enter__(self) -> ReplayProgress:
        self._task = self._progress.add_task("replay", total=frame_count(self._clip), rate=0.0)
        self._progress.start()
        return self

    def at(self, frames: int) -> None:
        """So many frames are done."""
        elapsed_s = self._progress.tasks[0].elapsed or 0.0
        self._progress.update(self._task, completed=frames, rate=frames / elapsed_s if elapsed_s > 0 else 0.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def frame_count(clip: Path) -> int | None:
    """What the file says of itself; None where it says nothing or cannot be read (which the source will tell)."""
    try:
        with av.open(str(clip)) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                return None
            if stream.frames:
                return int(stream.frames)
            rate = stream.average_rate
            return round(container.duration / av.time_base * rate) if container.duration and rate else None
    except (OSError, ValueError):
        return None
