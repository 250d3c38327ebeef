"""What `sitewatch replay` says of clips, models and files that it cannot use, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest
from batches.batching import write_wide_clip
from clips.rendered import render_clip
from replays.replaying import SIZE_PX, Replayed, replay

from agent.cli import main

MOTION = ("--model", "motion")
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds."""
    render_clip(tmp_path / "clip.mp4", seconds=2, size=SIZE_PX)
    return tmp_path / "clip.mp4"


def with_video(clip: Path, folder: Path) -> Replayed:
    """A replay that writes everything."""
    return replay(clip, folder, *MOTION, "--video", folder / "video.mp4")


def assert_refused(replayed: Replayed, status: int, said: str, *words: str) -> None:
    """The exit status, told once with these words and without a traceback, and no file."""
    assert replayed.exit_status == status
    assert said.startswith("sitewatch: ")
    assert said.count("\n") <= 2
    for word in words:
        assert word in said
    assert replayed.names == set()


def test_no_such_clip(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 66."""
    replayed = with_video(tmp_path / "nothing.mp4", tmp_path / "out")

    assert_refused(replayed, 66, capfd.readouterr().err, "nothing.mp4", "no such file")


def test_a_clip_without_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Audio only: exit status 66."""
    write_tone(tmp_path / "tone.mp4")
    replayed = with_video(tmp_path / "tone.mp4", tmp_path / "out")

    assert_refused(replayed, 66, capfd.readouterr().err, "tone.mp4", "audio")


def test_a_clip_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 66."""
    (tmp_path / "notes.mp4").write_text("no video at all")
    replayed = with_video(tmp_path / "notes.mp4", tmp_path / "out")

    assert_refused(replayed, 66, capfd.readouterr().err, "notes.mp4")


def test_a_failure_leaves_the_results_of_before(clip: Path, tmp_path: Path) -> None:
    """A replay that fails neither replaces nor empties what an earlier one wrote."""
    before = {path: path.read_bytes() for path in with_video(clip, tmp_path / "out").folder.iterdir()}
    (tmp_path / "notes.mp4").write_text("no video at all")
    failed = with_video(tmp_path / "notes.mp4", tmp_path / "out")

    assert failed.exit_status == 66
    assert {path: path.read_bytes() for path in failed.folder.iterdir()} == before


def test_a_clip_cut_short(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is there is kept, the exit status is 65, and it says how much is missing."""
    render_clip(tmp_path / "whole.avi", seconds=4, size=SIZE_PX, codec="mpeg4")
    whole = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    replayed = with_video(tmp_path / "cut.avi", tmp_path / "out")
    said = capfd.readouterr().err

    assert replayed.exit_status == 65
    assert "is cut short" in said
    assert "of 40 frames" in said
    assert "Traceback" not in said
    assert replayed.names == {"events.jsonl", "tracks.txt", "video.mp4"}
    assert 10 <= len(frame_sizes(replayed.video)) < 30
    assert replayed.rows


def test_pictures_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Wider than the encoder takes: exit status 73, and no file."""
    write_wide_clip(tmp_path / "wide.avi")
    replayed = with_video(tmp_path / "wide.avi", tmp_path / "out")

    assert_refused(replayed, 73, capfd.readouterr().err, "video.mp4", "cannot be written")


def test_another_size_half_way(tmp_path: Path) -> None:
    """Every frame is processed, boxes are in the pixels of each size, and the video keeps the first."""
    for name, size in (("first", SIZE_PX), ("second", (480, 270))):
        render_clip(tmp_path / f"{name}.ts", seconds=2, size=size)
    both = b"".join((tmp_path / f"{name}.ts").read_bytes() for name in ("first", "second"))
    (tmp_path / "both.ts").write_bytes(both)
    replayed = with_video(tmp_path / "both.ts", tmp_path / "out")

    assert replayed.exit_status == 0
    assert frame_sizes(replayed.video) == [SIZE_PX] * 40
    assert {tuple(event["frame_size"]) for event in replayed.events} >= {(480, 270)}
    assert max(row.box[2] for row in replayed.rows if row.frame <= 20) <= SIZE_PX[0] + 8


def test_no_model_given(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 64, with what to give."""
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(clip)])

    assert ended.value.code == 64
    assert "--model" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "nothing.onnx"), "nothing.onnx"),
        (("--model", "{clip}"), "no ONNX model"),
        (("--model", "motion", "--labels", "labels.txt"), "--labels"),
        (("--model", "motion", "--score-threshold", "1.5"), "0 to 1"),
        (("--site", "nothing.yaml"), "nothing.yaml"),
    ],
)
def test_options_that_cannot_be(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    """Exit status 78, and what is wrong."""
    replayed = replay(clip, tmp_path / "out", *(option.format(clip=clip) for option in options))

    assert_refused(replayed, 78, capfd.readouterr().err, words)


@pytest.mark.parametrize("option", ["--events", "--mot", "--video"])
@pytest.mark.parametrize("name", ["nowhere/out.mp4", ".", "clip.mp4"])
def test_outputs_that_cannot_be(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], option: str, name: str
) -> None:
    """A folder that is not there, a folder's own name, the clip itself: exit status 73, and the clip is untouched."""
    before = clip.read_bytes()

    assert main(["replay", str(clip), *MOTION, option, str(tmp_path / name)]) == 73
    assert capfd.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert clip.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("option", ["--events", "--mot"])
def test_a_full_disk(clip: Path, capfd: pytest.CaptureFixture[str], option: str) -> None:
    """Exit status 73, and the device is told."""
    assert main(["replay", str(clip), *MOTION, option, "/dev/full"]) == 73
    assert "/dev/full cannot be written: No space left on device" in capfd.readouterr().err


def test_a_reader_that_leaves(clip: Path) -> None:
    """Standard output closed while events come: exit status 73 and one sentence, as a child process."""
    command = [sys.executable, "-m", "agent", "replay", str(clip), *MOTION, "--events", "-"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY)
    with child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        said = child.stderr.read().decode()

    assert (child.returncode, said.count("\n")) == (73, 1)
    assert "Broken pipe" in said


def write_tone(path: Path) -> None:
    """A second of sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for start in range(0, 16_000, 1024):
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            frame.sample_rate, frame.pts = 16_000, start
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def frame_sizes(video: Path) -> list[tuple[int, int]]:
    """Of every frame."""
    with av.open(str(video)) as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]
