"""How far a batch is: bars where a person looks on, else a line for each clip that has ended."""

from __future__ import annotations

import queue
import sys
from contextlib import suppress
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from agent.app.batch.plays import Play, Plays
from agent.app.batch.results import Result, State


class BatchProgress:
    """On standard error; a context manager of the main thread. `finished` may be called by any."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.is_watched = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not self.is_watched,
        )
        self._news: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._bars: dict[str, TaskID] = {}
        self._total: TaskID | None = None
        self._count = self._ended = 0
        self.results: list[Result] = []

    def __enter__(self) -> BatchProgress:
        self._progress.start()
        return self

    def begin(self, clips: int, before: int) -> None:
        """So many are to be played; so many were done before."""
        self._count = clips
        if before and not self.is_watched:
            print(f"{before} clips were done before; {clips} to be played", file=sys.stderr, flush=True)
        unit = f"clips ({before} more were done before)" if before else "clips"
        self._total = self._progress.add_task("total", total=clips, unit=unit)

    def finished(self, result: Result) -> None:
        """A clip has come to its end."""
        self._news.put(result)

    def turn(self, plays: Plays) -> None:
        """Show where everything is."""
        with suppress(queue.Empty):
            while True:
                self._tell(self._news.get_nowait())
        if self.is_watched:
            self._show(plays.all())

    def _tell(self, result: Result) -> None:
        self.results.append(result)
        self._ended += 1
        line = f"{self._ended}/{self._count} {_line(result)}"
        if not self.is_watched:
            print(line, file=sys.stderr, flush=True)
        elif result.state is not State.DONE:
            self._progress.console.print(escape(line))

    def _show(self, plays: list[Play]) -> None:
        for camera_id in self._bars.keys() - {play.clip.camera_id for play in plays}:
            self._progress.remove_task(self._bars.pop(camera_id))
        for play in plays:
            camera_id = play.clip.camera_id
            if camera_id not in self._bars:
                self._bars[camera_id] = self._progress.add_task(escape(play.clip.name), total=None, unit="frames")
            self._progress.update(self._bars[camera_id], total=play.frames_expected, completed=play.frames)
        if self._total is not None:
            self._progress.update(self._total, completed=self._ended)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in [*self._bars.values()]:
            self._progress.remove_task(task)
        self._progress.stop()


def _line(result: Result) -> str:
    if result.state is State.FAILED:
        return f"{result.clip.path}: failed: {result.reason}"
    counts = result.counts
    rate = counts.frames / result.seconds if result.seconds > 0 else 0.0
    told = f"{counts.frames} frames in {result.seconds:.1f} s ({rate:.1f}/s), {counts.events.total()} events"
    return f"{result.clip.path.name}: {told}" + (f"; damaged: {result.reason}" if result.reason else "")
