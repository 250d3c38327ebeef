"""The file to write appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.small_disk import SmallDisk

from agent.app.model.export.result_file import ResultFile
from agent.errors import OutputError


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Until it is left, the name holds what it held."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"older")
    with ResultFile(path) as result:
        result.write(b"newer")
        assert path.read_bytes() == b"older"

    assert path.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritten_or_failed_it_leaves_nothing(tmp_path: Path) -> None:
    """A refusal, and an error after it was written, leave the folder as it was."""
    with ResultFile(tmp_path / "model.onnx"):
        pass
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "model.onnx", b"half the work", KeyboardInterrupt())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.mounts
def test_a_disk_that_runs_full(tmp_path: Path) -> None:
    """It is told, what was there stays, and no part is left."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        path = disk.folder / "model.onnx"
        path.write_bytes(b"older")
        with pytest.raises(OutputError, match=r"model\.onnx cannot be written: No space left on device"):
            _write(path, bytes(2 << 20))

        assert path.read_bytes() == b"older"
        assert list(disk.folder.iterdir()) == [path]


def _write(path: Path, content: bytes, failure: BaseException | None = None) -> None:
    with ResultFile(path) as result:
        result.write(content)
        if failure is not None:
            raise failure
