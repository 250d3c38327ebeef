"""Which step a model tool is at, for a person at a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status


class Steps:
    """A line on standard error where that is a terminal, else nothing; a context manager of the main thread."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._console = Console(stderr=True)
        self._status: Status | None = None

    def __enter__(self) -> Steps:
        if self._console.is_terminal:
            self._status = self._console.status(self._title)
            self._status.start()
        return self

    def at(self, step: str) -> None:
        """This step begins."""
        if self._status is not None:
            self._status.update(f"{self._title}: {step}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
