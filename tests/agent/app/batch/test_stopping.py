"""A batch that is stopped, or cannot write: what is done stays, and nothing else is left."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from batches.batching import REPOSITORY, Batched, batch, draw_clips, results_of, start_batch
from servers.small_disk import SmallDisk

from agent.app.batch.out_folder import OutFolder

DEADLINE_S = 60.0


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(tmp_path: Path, signal_number: signal.Signals) -> None:
    """Clips in play are interrupted and leave nothing; the exit status is that of the signal."""
    clips = draw_clips(tmp_path / "clips", ash=1.0, zebrano=30.0, zelkova=30.0)
    out = tmp_path / "out"
    with start_batch(clips, out, "--model", "motion", "--jobs", "2") as child:
        for name in ("ash.done.json", ".zebrano.part.mp4", ".zelkova.part.mp4"):
            wait_for(out / name)
        child.send_signal(signal_number)
        said, _ = child.communicate(timeout=DEADLINE_S)
    batched = Batched(child.returncode, out)

    assert batched.exit_status == 128 + signal_number
    assert batched.states == {"ash": "done", "zebrano": "interrupted", "zelkova": "interrupted"}
    assert batched.names == results_of("ash")
    assert b"3 clips: 1 done, 2 interrupted" in said


@pytest.mark.mounts
def test_a_full_disk(tmp_path: Path) -> None:
    """Everything stops with one line; what was done stays, and what was not leaves nothing."""
    clips = draw_clips(tmp_path / "clips", ash=1.0, zebrano=30.0, zelkova=30.0)
    with SmallDisk(tmp_path / "out", size_mib=1) as disk:
        with start_batch(clips, disk.folder, "--model", "motion", "--jobs", "1") as child:
            wait_for(disk.folder / "ash.done.json")
            disk.fill()
            _, said = child.communicate(timeout=DEADLINE_S)
        (disk.folder / "filler").unlink()
        left = Batched(child.returncode, disk.folder)
        again = batch(clips[:1], disk.folder)

        assert left.exit_status == 73
        assert again.states == {"ash": "done before"}
        assert again.names == results_of("ash")
    assert [line for line in said.decode().splitlines() if line.startswith("sitewatch: ")] == [
        line for line in said.decode().splitlines() if "No space left on device" in line
    ]
    assert "Traceback" not in said.decode()


def test_a_folder_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 73."""
    (clip,) = draw_clips(tmp_path, ash=1.0)

    assert batch([clip], clip).exit_status == 73
    assert "cannot be made or used as a folder" in capfd.readouterr().err


def test_a_folder_in_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two batches at once would take each other's results away."""
    (clip,) = draw_clips(tmp_path, ash=1.0)
    with OutFolder(tmp_path / "out"):
        assert batch([clip], tmp_path / "out").exit_status == 73

    assert "in use by another batch" in capfd.readouterr().err
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("given", ["clips/ash.mp4", "link.mp4"])
def test_a_clip_is_never_written_over(tmp_path: Path, capfd: pytest.CaptureFixture[str], given: str) -> None:
    """Whatever it is called by: nothing is played, and the clip is untouched."""
    (clip,) = draw_clips(tmp_path / "clips", ash=1.0)
    (clip.parent / "link.mp4").symlink_to(clip)  # where results of the link would go
    (tmp_path / "link.mp4").symlink_to(clip)
    before = clip.read_bytes()
    batched = batch([tmp_path / given], clip.parent)

    assert batched.exit_status == 73
    assert "is a clip itself" in capfd.readouterr().err
    assert (batched.names, clip.read_bytes()) == ({"ash.mp4", "link.mp4"}, before)


def test_the_engine_is_not_loaded_for_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A model that cannot be used is told before a clip is played: exit status 78, and no results."""
    clips = draw_clips(tmp_path / "clips", ash=1.0)
    batched = batch(clips, tmp_path / "out", "--model", REPOSITORY / "pyproject.toml")

    assert (batched.exit_status, batched.names) == (78, set())
    assert "an ONNX model (.onnx) is needed" in capfd.readouterr().err


def wait_for(path: Path) -> None:
    """Until a file is there."""
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
