"""Events as JSON lines, for programs that read files."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from agent.app.replay.part_file import PartFile
from agent.app.replay.unbuffered import write_all
from agent.events.event import Event
from agent.publish.payload import event_payload

STANDARD_OUTPUT = "-"
STANDARD_OUTPUT_DESCRIPTOR = 1


class EventsFile:
    """Writes one event a line, numbered from 1, with the bytes a broker would get; `-` is standard output."""

    def __init__(self, destination: str) -> None:
        self._name = "standard output" if destination == STANDARD_OUTPUT else destination
        self._part = None if destination == STANDARD_OUTPUT else PartFile(Path(destination))
        # Unbuffered: who reads along sees an event at once, and a reader who leaves is noticed here, not at the exit.
        if self._part is None:
            self._stream = open(STANDARD_OUTPUT_DESCRIPTOR, "wb", buffering=0, closefd=False)  # noqa: SIM115 - `__exit__` closes
        else:
            self._stream = self._part.path.open("wb", buffering=0)
        self._written = 0

    def write(self, event: Event) -> None:
        """Append one event.

        Raises:
            OutputError: it cannot be written.
        """
        self._written += 1
        write_all(self._stream, event_payload(event, self._written) + b"\n", self._name)

    def __enter__(self) -> EventsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self._part is not None:
            self._part.settle(keep=kind is None)
