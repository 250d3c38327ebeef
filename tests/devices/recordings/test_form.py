"""A recorded machine as text, and back."""

from __future__ import annotations

import pytest
from fakes.board import BOARD_NAMES, recorded

from devices.probes.root import CommandResult
from devices.recordings.form import Record, read, write
from devices.recordings.playback import play

FACTS = {"system": "Linux", "release": "6.1", "architecture": "aarch64", "python": "3.11.2"}


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_a_board_reads_and_writes_alike(name: str) -> None:
    """What is written is read back, whatever it holds."""
    record = recorded(name)

    assert read(write(record)) == record
    assert record.remark


def test_everything_that_a_file_may_hold() -> None:
    """NUL, backslashes, tabs, empty lines, brackets and a deadline come through."""
    record = Record(
        FACTS,
        {"CUDA_VISIBLE_DEVICES": ""},
        {"/a": "one\0two\\three\tfour\n\nfive # six", "/b": "", "/c": "[N/A]"},
        {"tool -q": CommandResult(None, errors="no answer within 5 s\n"), "other": CommandResult(-11, "said\n", "")},
        "a machine",
    )

    assert read(write(record)) == record


def test_a_line_of_no_known_form() -> None:
    """It is named, rather than left out."""
    with pytest.raises(ValueError, match="neither a fact, a path nor a command: 'nonsense'"):
        read("nonsense\n")


def test_playing_a_record() -> None:
    """Folders follow from files, a star stays within a part, an unknown library is not installed."""
    root = play(Record(FACTS, files={"/sys/class/x1/name": "n\n", "/sys/class/y/name": ""}))

    assert root.matches("/sys/class/x*") == ("/sys/class/x1",)
    assert root.matches("/sys/*") == ("/sys/class",)
    assert root.matches("/sys/*/name") == ()
    assert (root.text("/sys/class/x1/name"), root.text("/sys/class/y/name"), root.text("/no")) == ("n", "", None)
    assert root.run(("python3", "-c", "# openvino\nimport openvino"), 1.0).code == 3
    assert root.run(("no-such-command",), 1.0).code == 127
