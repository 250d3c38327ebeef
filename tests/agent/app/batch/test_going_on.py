"""A batch goes on where the one before it ended, and plays again what would come out otherwise."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batches.batching import Batched, batch, draw_clips, results_of, start_batch

DEADLINE_S = 60.0


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return draw_clips(tmp_path / "clips", ash=1.0, birch=1.0)


@pytest.fixture
def out(clips: list[Path], tmp_path: Path) -> Path:
    """With the results of both."""
    assert batch(clips, tmp_path / "out").exit_status == 0
    return tmp_path / "out"


def write_times(folder: Path) -> dict[str, int]:
    """Of all results but the summary."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "summary.json"}


def test_what_is_done_is_passed_over(clips: list[Path], out: Path) -> None:
    """Nothing is written again, and the summary tells of all of them."""
    before = write_times(out)
    again = batch(clips, out)

    assert again.exit_status == 0
    assert again.states == {"ash": "done before", "birch": "done before"}
    assert write_times(out) == before
    assert again.summary["totals"]["frames"] == 20


def test_anew(clips: list[Path], out: Path) -> None:
    """Everything is played again where that is asked for."""
    assert set(batch(clips, out, "--anew").states.values()) == {"done"}


def test_how_fast_it_goes_changes_nothing(clips: list[Path], out: Path) -> None:
    """Options that do not decide what comes out are no reason to play a clip again."""
    assert set(batch(clips, out, "--jobs", "2").states.values()) == {"done before"}


def change_the_clip(clips: list[Path], _out: Path) -> None:
    """Another time."""
    os.utime(clips[0], ns=(1, 1))


def lose_a_result(_clips: list[Path], out: Path) -> None:
    """A file is gone."""
    (out / "ash.events.jsonl").unlink()


def shorten_a_result(_clips: list[Path], out: Path) -> None:
    """A file is not what was written."""
    (out / "ash.mp4").write_bytes(b"")


def damage_the_record(_clips: list[Path], out: Path) -> None:
    """It cannot be read."""
    (out / "ash.done.json").write_text('{"format": 1, "results": 7}')


@pytest.mark.parametrize("change", [change_the_clip, lose_a_result, shorten_a_result, damage_the_record])
def test_what_changed_is_played_again(clips: list[Path], out: Path, change: Callable[[list[Path], Path], None]) -> None:
    """That clip, and no other."""
    change(clips, out)
    again = batch(clips, out)

    assert again.states == {"ash": "done", "birch": "done before"}
    assert again.names == results_of("ash", "birch")


def test_other_settings(clips: list[Path], out: Path, tmp_path: Path) -> None:
    """Of anything that decides what comes out."""
    (tmp_path / "site.yaml").write_text(
        "site: yard\nmodel: motion\nbroker: embedded\ncameras: {gate: {source: rtsp://camera.invalid/}}\n"
        "tracking: {lost_patience: 500ms}\n"
    )
    assert set(batch(clips, out, "--site", tmp_path / "site.yaml").states.values()) == {"done"}


def test_other_outputs(clips: list[Path], out: Path) -> None:
    """What is not asked for any more goes, so that all that stands there is of one run."""
    again = batch(clips, out, "--no-video", "--mot")

    assert set(again.states.values()) == {"done"}
    assert again.names == results_of("ash", "birch", endings=("events.jsonl", "txt", "done.json"))


def test_results_without_a_record_do_not_stay(tmp_path: Path) -> None:
    """Where it cannot be written, what it would speak of goes: exit status 73."""
    clips = draw_clips(tmp_path / "clips", ash=1.0)
    (tmp_path / "out" / ".ash.done.part.json" / "in the way").mkdir(parents=True)
    (tmp_path / "out" / ".ash.done.part.json").rename(tmp_path / "out" / "ash.done.json")
    batched = batch(clips, tmp_path / "out")

    assert batched.exit_status == 73
    assert batched.names == {"ash.done.json", "summary.json"}


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    """Clips that were done stay done, nothing is left half written, and the next run does the rest."""
    clips = draw_clips(tmp_path / "clips", ash=1.0, birch=1.0, zebrano=30.0)
    out = tmp_path / "out"
    with start_batch(clips, out, "--model", "motion", "--jobs", "1") as child:
        wait_for(out / "birch.done.json")
        wait_for(out / ".zebrano.part.mp4")
        child.kill()
    left = {path.name for path in out.iterdir()}
    draw_clips(tmp_path / "clips", zebrano=1.0)
    again = batch(clips, out)

    assert ".zebrano.part.mp4" in left
    assert again.states == {"ash": "done before", "birch": "done before", "zebrano": "done"}
    assert again.names == results_of("ash", "birch", "zebrano")


def test_what_a_killed_run_left_goes_with_a_clip_that_fails(tmp_path: Path) -> None:
    """Nothing half written stays, although nobody writes there again."""
    (tmp_path / "out").mkdir()
    for name in (".ash.part.mp4", ".ash.events.part.jsonl", ".ash.done.part.json"):
        (tmp_path / "out" / name).touch()
    (tmp_path / "ash.mp4").touch()
    batched: Batched = batch([tmp_path / "ash.mp4"], tmp_path / "out")

    assert (batched.exit_status, batched.names) == (65, {"summary.json"})


def wait_for(path: Path) -> None:
    """Until a file is there."""
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
