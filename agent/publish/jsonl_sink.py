"""Events as JSON lines in a file or on standard output: the same bytes that a broker would get."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from agent.errors import SinkError
from agent.publish.sink import Delivery
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings

STANDARD_OUTPUT = "-"


class JsonlSink:
    """Appends one event a line; see `EventSink`.

    A batch counts as accepted when it is in the file and, where it is one, synced to the disk: then the outbox lets go
    of it. A batch that could not be written whole is cut off again and stays in the outbox, so the file never holds
    half a line. What was written just before a crash may be there twice; `event_id` tells.
    """

    def __init__(self, destination: str, standard_output: BinaryIO, happened: PublishHappenings) -> None:
        self._destination = destination
        self._standard_output = standard_output
        self._happened = happened
        self._file: BinaryIO | None = None

    def start(self) -> None:
        """Open the file for appending; its folder must be there.

        Raises:
            SinkError: it cannot be opened.
        """
        if self._destination == STANDARD_OUTPUT:
            return
        try:
            self._file = Path(self._destination).open("ab", buffering=0)  # noqa: SIM115 - `close` closes it
            _end_last_line(Path(self._destination), self._file)
        except OSError as error:
            self.close()
            raise SinkError(
                f"events_file: {self._destination} cannot be written: {error.strerror}; "
                "name a file in a folder that the agent's user may write, or - for standard output"
            ) from error

    def send(self, batch: Sequence[StoredEvent]) -> Delivery:
        """Write the batch; all of it is accepted, or nothing."""
        lines = b"".join(event.payload + b"\n" for event in batch)
        try:
            if self._file is None:
                self._standard_output.write(lines)
                self._standard_output.flush()
            else:
                _append(self._file, lines)
        except OSError as error:
            self._happened.sink_failed(f"events_file: {self._destination} cannot be written: {error.strerror}")
            return Delivery()
        return Delivery(accepted=tuple(event.sequence for event in batch))

    def close(self) -> None:
        """Close the file. Standard output stays open: it is not ours."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _append(file: BinaryIO, lines: bytes) -> None:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe or device: nothing to cut off, nothing to sync
        _write_all(file, lines)
        return
    before = file.seek(0, os.SEEK_END)
    try:
        _write_all(file, lines)
        os.fsync(file.fileno())
    except OSError:
        file.truncate(before)
        raise


def _write_all(file: BinaryIO, lines: bytes) -> None:
    written = 0
    while written < len(lines):
        written += file.write(lines[written:])


def _end_last_line(path: Path, file: BinaryIO) -> None:
    """A power cut may have left half a line; close it, so that it spoils no other."""
    size = path.stat().st_size
    if size:
        with path.open("rb") as reader:
            reader.seek(size - 1)
            if reader.read(1) != b"\n":
                file.write(b"\n")
