"""Events as lines of a file or of standard output; the contract of sinks is tested beside the others."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from fakes.events import teller

from agent.errors import SinkError
from agent.publish.jsonl_sink import JsonlSink
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings

EVENTS = [StoredEvent(n, f"id-{n}", "gate", b'{"sequence":%d}' % n) for n in (1, 2)]
LINES = b'{"sequence":1}\n{"sequence":2}\n'


def sink(destination: Path | str, output: io.BytesIO | None = None) -> JsonlSink:
    """A started one."""
    made = JsonlSink(str(destination), output or io.BytesIO(), PublishHappenings(teller()))
    made.start()
    return made


def test_standard_output_gets_the_lines_and_stays_open() -> None:
    """`-` is standard output, which is not the sink's to close."""
    output = io.BytesIO()
    made = sink("-", output)

    assert made.send(EVENTS).accepted == (1, 2)
    made.close()
    assert output.getvalue() == LINES


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    """A restart goes on where the last run stopped."""
    for _ in range(2):
        made = sink(tmp_path / "events.jsonl")
        made.send(EVENTS)
        made.close()

    assert (tmp_path / "events.jsonl").read_bytes() == LINES * 2


def test_half_a_line_of_a_crash_spoils_no_other(tmp_path: Path) -> None:
    """A last line without its end is ended before the first event is written."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"sequ')
    made = sink(path)
    made.send(EVENTS)
    made.close()

    assert path.read_bytes() == b'{"sequ\n' + LINES


def test_a_named_pipe_works(tmp_path: Path) -> None:
    """What cannot be sought in or synced is written all the same."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    made = sink(path)

    assert made.send(EVENTS).accepted == (1, 2)
    made.close()
    reader.join(5.0)
    assert got == [LINES]


def test_a_file_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    """The error names the file and what would do."""
    with pytest.raises(SinkError, match=r"events_file: .*missing.* cannot be written: No such file"):
        sink(tmp_path / "missing" / "events.jsonl")
