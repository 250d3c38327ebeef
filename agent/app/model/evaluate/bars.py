"""How far a tool is, for a person at a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bars:
    """A bar for each thing done, on standard error where that is a terminal, else nothing; a context manager."""

    def __init__(self, what: str) -> None:
        """Nothing is shown yet; `what` is counted: pictures, rounds."""
        console = Console(stderr=True)
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(what),
            TimeRemainingColumn(),
            TextColumn("{task.fields[now]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def at(self, name: str, done: int, total: int, now: str = "") -> None:
        """So many are done of this; `now` is what is being done."""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total, now="")
        self._progress.update(self._bars[name], completed=done, now=now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
