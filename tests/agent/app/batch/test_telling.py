"""What a batch tells: while it runs, in a table at its end, and in its summary."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from batches.batching import REPOSITORY, Batched, batch, draw_clips, events_in

from agent.cli import main


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    (folder / "bad.mp4").touch()
    return [*draw_clips(folder, ash=1.0, birch=2.0), folder / "bad.mp4"]


def test_a_line_for_each_clip_and_a_table(clips: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Lines go to standard error, each when its clip has ended; the table to standard output, in the order given."""
    batch(clips, tmp_path / "out", "--jobs", "1")
    said = capfd.readouterr()
    rows = [line.split() for line in said.out.splitlines()]

    ended = {line.split(":")[0].split("/")[-1] for line in said.err.splitlines()}

    assert ended == {"3 ash.mp4", "3 birch.mp4", "bad.mp4"}
    assert [row[:3] for row in rows[1:4]] == [["ash", "done", "10"], ["birch", "done", "20"], ["bad", "failed", "0"]]
    assert said.out.splitlines()[-1].startswith("3 clips: 2 done, 1 failed; 30 frames, ")
    assert said.out.splitlines()[-1].endswith("frames/s; motion on built in")


def test_the_summary_counts(clips: list[Path], tmp_path: Path) -> None:
    """Frames, events by type and objects by label: those that its files tell of."""
    batched = batch(clips, tmp_path / "out")
    events = [event for clip in ("ash", "birch") for event in events_in(batched.folder / f"{clip}.events.jsonl")]
    kinds = [event["type"] for event in events]
    totals = batched.summary["totals"]

    assert totals["frames"] == 30
    assert totals["events"] == {kind: kinds.count(kind) for kind in kinds}
    assert totals["objects"] == {"motion": kinds.count("new")}
    assert batched.summary["states"] == {"done": 2, "failed": 1}
    assert 0 < batched.summary["frames_per_second"] == pytest.approx(30 / batched.summary["seconds"], rel=0.05)
    assert {clip["name"]: clip["frames"] for clip in batched.summary["clips"]} == {"ash": 10, "birch": 20, "bad": 0}


def test_bars_at_a_terminal(clips: list[Path], tmp_path: Path) -> None:
    """One of all clips and one of each in play; what failed is told above them."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "agent", "batch", *map(str, clips), "--out", str(tmp_path), "--model", "motion"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, cwd=REPOSITORY) as child:
        os.close(terminal)
        shown = _all_of(screen)
    os.close(screen)

    assert Batched(child.returncode, tmp_path).exit_status == 65
    for words in (b"total", b"birch", b"clips", b"frames", b"no video"):
        assert words in shown


def _all_of(screen: int) -> bytes:
    shown = b""
    try:
        while piece := os.read(screen, 65536):
            shown += piece
    except OSError:  # the other end was closed
        pass
    return shown


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ((), 64, "batch needs --model"),
        (("--model", "motion", "--jobs", "0"), 78, "--jobs: found 0; allowed is 1 to 256"),
        (("--model", "motion", "--batch", "4"), 78, "--batch: the motion detector"),
        (("--model", "nowhere.onnx"), 78, "nowhere.onnx"),
    ],
)
def test_options_that_cannot_be(
    clips: list[Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    """One clear line, and no results."""
    try:
        found = main(["batch", *map(str, clips), "--out", str(tmp_path / "out"), *options])
    except SystemExit as ended:  # as argparse ends
        found = int(ended.code or 0)

    assert found == status
    assert words in capfd.readouterr().err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
