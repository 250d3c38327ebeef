"""Results that appear whole, together, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from servers.small_disk import SmallDisk

from agent.errors import OutputError
from agent.models.whole_results import write_results


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_and_folders(tmp_path: Path) -> None:
    """All are there, readable as any new file is, with nothing beside them."""
    (tmp_path / "weights").write_bytes(b"1234")

    size = write_results(tmp_path / "a" / "models", {"gate": {"1/m": tmp_path / "weights", "x": b"yz"}, "list": b"!"})

    assert files_in(tmp_path) == {"weights": b"1234", "a/models/gate/1/m": b"1234", "a/models/gate/x": b"yz",
                                  "a/models/list": b"!"}  # fmt: skip
    assert size == 7
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "a" / "models" / "gate").stat().st_mode == plain.stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "plain", "weights"]


def test_what_was_there_is_replaced(tmp_path: Path) -> None:
    """A folder goes as a whole: nothing of the old one is left in the new."""
    write_results(tmp_path, {"gate": {"old": b"1", "both": b"1"}})
    write_results(tmp_path, {"gate": {"both": b"2"}})

    assert files_in(tmp_path) == {"gate/both": b"2"}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Nothing is written where one file to copy is missing, not even the folders."""
    with pytest.raises(OutputError, match=r"No such file .*absent"):
        write_results(tmp_path / "models", {"list": b"!", "gate": {"m": tmp_path / "absent"}})

    assert list(tmp_path.iterdir()) == []


def test_a_move_that_fails(tmp_path: Path) -> None:
    """What was moved before goes back, and what was there before is there again."""
    write_results(tmp_path, {"gate": {"m": b"old"}})
    (tmp_path / "file").write_bytes(b"")
    before = files_in(tmp_path)

    with pytest.raises(OutputError):
        write_results(tmp_path, {"gate": {"m": b"new"}, "file/below": b"cannot be"})

    assert files_in(tmp_path) == before


@pytest.mark.mounts
def test_a_full_disk(tmp_path: Path) -> None:
    """The sentence says so, and the model that was there still is."""
    with SmallDisk(tmp_path / "disk", 2) as disk:
        models = disk.folder / "models"
        write_results(models, {"gate": {"m": b"old"}})

        with pytest.raises(OutputError, match=r"No space left on device.*nothing was changed"):
            write_results(models, {"gate": {"m": os.urandom(3 << 20)}})

        assert files_in(disk.folder) == {"models/gate/m": b"old"}
