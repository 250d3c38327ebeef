"""One bad file does not stop the rest, and is told with its reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from batches.batching import Batched, batch, draw_clips, results_of, write_wide_clip
from clips.rendered import render_clip
from replays.replaying import SIZE_PX

BAD = {
    "notes": "no video",
    "empty": "no video",
    "nowhere": "no such file",
    "pipe": "is no file",
    "wide": "cannot be written",
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Batched:
    """Good clips, a damaged one, and every kind of bad one between them."""
    folder = tmp_path_factory.mktemp("mixed")
    draw_clips(folder, ash=1.0, zebrano=1.0)
    (folder / "notes.mp4").write_text("no video at all")
    (folder / "empty.mp4").touch()
    os.mkfifo(folder / "pipe.mp4")
    write_wide_clip(folder / "wide.avi")
    render_clip(folder / "dot.avi", seconds=0.5, size=(2, 2), codec="mpeg4", squares=())
    render_clip(folder / "whole.avi", seconds=4, size=SIZE_PX, codec="mpeg4")
    whole = (folder / "whole.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[: len(whole) // 2])
    (folder / "whole.avi").unlink()
    return batch([folder, folder / "nowhere.mp4"], folder / "out", "--jobs", "2")


def test_the_others_are_done(bad: Batched) -> None:
    """Exit status 65; whatever is no video has failed, and the rest have not."""
    assert bad.exit_status == 65
    assert bad.states == {
        **dict.fromkeys(("ash", "dot", "zebrano"), "done"), "cut": "damaged", **dict.fromkeys(BAD, "failed"),
    }  # fmt: skip


def test_what_failed_leaves_no_files(bad: Batched) -> None:
    """Neither whole nor in part; what the damaged one gave is kept."""
    assert bad.names == results_of("ash", "dot", "zebrano", "cut")


@pytest.mark.parametrize("name", BAD)
def test_the_reason_is_told(bad: Batched, name: str) -> None:
    """In words."""
    assert BAD[name] in bad.reason(name)


def test_the_damage_is_told(bad: Batched) -> None:
    """How much there is, with its results and in its record."""
    assert "is cut short" in bad.reason("cut")
    assert "of 40 frames" in bad.reason("cut")
    assert bad.record("cut")["state"] == "damaged"
    assert 10 <= bad.record("cut")["frames"] < 30


def test_a_damaged_clip_is_not_played_again(tmp_path: Path) -> None:
    """But stays damaged, also for who asks for the exit status."""
    render_clip(tmp_path / "whole.avi", seconds=4, size=SIZE_PX, codec="mpeg4")
    whole = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    batch([tmp_path / "cut.avi"], tmp_path / "out")
    before = (tmp_path / "out" / "cut.mp4").stat()
    again = batch([tmp_path / "cut.avi"], tmp_path / "out")

    assert (again.exit_status, again.states) == (65, {"cut": "damaged"})
    assert (tmp_path / "out" / "cut.mp4").stat().st_mtime_ns == before.st_mtime_ns


def test_what_has_become_bad_loses_its_results(tmp_path: Path) -> None:
    """What stands there would be taken for those of the file as it is now."""
    (clip,) = draw_clips(tmp_path, ash=1.0)
    assert batch([clip], tmp_path / "out").names == results_of("ash")
    clip.write_text("no video any more")

    assert batch([clip], tmp_path / "out").names == {"summary.json"}
