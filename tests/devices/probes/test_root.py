"""Reading a machine's files."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from devices.probes.root import Root, this_machine


def root_at(path: Path) -> Root:
    return replace(this_machine(sys.executable), path=path)


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    """A folder, a missing file and an empty path are no text."""
    (tmp_path / "folder").mkdir()

    assert root_at(tmp_path).text("/folder") is None
    assert root_at(tmp_path).text("/missing") is None


def test_a_file_that_answers_later(tmp_path: Path) -> None:
    """A sysfs file of a powered-down part (EAGAIN) is no text; a FIFO that nobody fills stands for it."""
    os.mkfifo(tmp_path / "temp")
    reader = os.open(tmp_path / "temp", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "temp", os.O_WRONLY)
    try:
        assert root_at(tmp_path).text("/temp") is None
    finally:
        os.close(writer)
        os.close(reader)


def test_text_ends_neither_in_nul_nor_in_white_space(tmp_path: Path) -> None:
    """Device-tree strings end in NUL, sysfs strings in a line feed; bytes beyond UTF-8 do no harm."""
    (tmp_path / "model").write_bytes(b"A board\xff \n\0")

    assert root_at(tmp_path).text("/model") == "A board\ufffd"


def test_properties(tmp_path: Path) -> None:
    """Lines of KEY=value, quotes taken off, others left out."""
    (tmp_path / "uevent").write_text('DRIVER=i915\nnonsense\nNAME="a=b"\n')

    assert root_at(tmp_path).properties("uevent") == {"DRIVER": "i915", "NAME": "a=b"}
