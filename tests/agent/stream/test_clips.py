from __future__ import annotations

import subprocess
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from clips.rendered import render_clip
from fakes.frame_source import RecordingListener, camera_context

from agent.errors import SourceError, SourceFailure
from agent.settings.models import Pace, Playback
from agent.stream.av_target import file_target
from agent.stream.av_timing import Playing
from agent.stream.frame import ClockSource, Frame
from agent.stream.limits import Limits
from agent.stream.pyav_source import PyavSource

FAST = Playing(Pace.FAST, Playback.ONCE)


def source_of(path: Path, playing: Playing = FAST, listener: RecordingListener | None = None) -> PyavSource:
    return PyavSource(camera_context(listener), file_target(str(path)), Limits(), playing)


def play(path: Path, listener: RecordingListener | None = None) -> list[Frame]:
    return list(source_of(path, FAST, listener).frames())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip: one.mp4"  # a colon and a space, as people have them
    render_clip(path, seconds=2, fps=10, size=(320, 180), audio=True)
    return path


def write_elementary(path: Path, size: tuple[int, int], count: int) -> bytes:
    """A raw H.264 stream without container."""
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "0", "preset": "ultrafast"})
        stream.width, stream.height = size
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 10 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_every_frame_of_a_clip_comes_in_order_at_its_time(clip: Path) -> None:
    """Played fast: all twenty frames at once, their times a tenth of a second apart."""
    listener = RecordingListener()
    began_s = time.monotonic()

    infos = [frame.info for frame in play(clip, listener)]

    assert time.monotonic() - began_s < 1.5
    assert [info.sequence for info in infos] == list(range(1, 21))
    assert np.diff([info.captured_monotonic_s for info in infos]) == pytest.approx(0.1)
    assert {info.clock_source for info in infos} == {ClockSource.PTS}
    assert [(opened.width_px, opened.height_px, opened.fps, opened.codec) for _, opened in listener.of("opened")] == [
        (320, 180, 10.0, "h264")
    ]
    assert listener.names() == ["opened"]


@pytest.mark.parametrize(("name", "codec"), [("clip.avi", "mpeg4"), ("clip.mkv", "h264"), ("clip.mp4", "hevc")])
def test_other_containers_and_codecs(tmp_path: Path, name: str, codec: str) -> None:
    """AVI, Matroska and HEVC clips play as well."""
    render_clip(tmp_path / name, seconds=1, fps=10, size=(320, 180), codec=codec)

    assert len(play(tmp_path / name)) == 10


def test_at_its_own_pace(clip: Path) -> None:
    """Played at its own pace a frame comes when its time has come, not before and not much after."""
    frames = islice(source_of(clip, Playing(Pace.REALTIME, Playback.ONCE)).frames(), 10)
    late_s = [time.monotonic() - frame.info.captured_monotonic_s for frame in frames]

    assert min(late_s) >= 0.0
    assert np.median(late_s) < 0.05


def test_a_loop_runs_on_over_the_seam(clip: Path) -> None:
    """Sequence and time rise over three rounds as if the clip were one long one."""
    source = source_of(clip, Playing(Pace.FAST, Playback.LOOP))

    infos = [frame.info for frame in islice(source.frames(), 50)]
    source.close()

    assert [info.sequence for info in infos] == list(range(1, 51))
    assert np.diff([info.captured_monotonic_s for info in infos]) == pytest.approx(0.1)


def test_a_size_that_changes_half_way_is_survived(tmp_path: Path) -> None:
    """Each frame tells its own size, gives pictures of it, and the change is told."""
    path = tmp_path / "change.h264"
    path.write_bytes(
        write_elementary(tmp_path / "a.h264", (320, 180), 8) + write_elementary(tmp_path / "b.h264", (480, 360), 8)
    )
    listener = RecordingListener()

    frames = play(path, listener)

    assert [(frame.info.width_px, frame.info.height_px) for frame in frames] == [(320, 180)] * 8 + [(480, 360)] * 8
    assert {frame.picture.scaled(64, 64).shape for frame in frames} == {(64, 64, 3)}
    assert frames[-1].picture.full().shape == (360, 480, 3)
    assert len(listener.of("opened")) == 2


@pytest.mark.ffmpeg
def test_a_truncated_clip_gives_what_is_there_and_tells(clip: Path, tmp_path: Path) -> None:
    """A clip whose index promises more than the file holds ends early, with both numbers told."""
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", clip, "-an", "-c", "copy", "-movflags", "faststart", whole], check=True
    )
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    listener = RecordingListener()

    frames = play(cut, listener)

    assert 5 <= len(frames) < 20
    [(_, detail)] = listener.of("ended_early")
    assert f"{len(frames)} " in detail

    looping = source_of(cut, Playing(Pace.FAST, Playback.LOOP), listener)
    assert len(list(islice(looping.frames(), 3 * len(frames)))) == 3 * len(frames)
    looping.close()
    assert len(listener.of("ended_early")) == 2  # once a source, not once a round


def test_a_clip_without_its_index_is_refused_in_words(clip: Path, tmp_path: Path) -> None:
    """An MP4 that lost its end, and with it its index, cannot be played at all."""
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:-20_000])

    with pytest.raises(SourceError, match="damaged or not whole") as caught:
        play(cut)

    assert caught.value.failure is SourceFailure.UNSUPPORTED


def test_damage_is_counted_and_survived(tmp_path: Path) -> None:
    """Bytes overwritten in the middle cost frames, not the clip."""
    render_clip(tmp_path / "clip.mkv", seconds=3, fps=10, size=(320, 180))
    data = bytearray((tmp_path / "clip.mkv").read_bytes())
    rng = np.random.default_rng(0)
    for start in range(len(data) // 4, len(data) * 3 // 4, 4000):
        data[start : start + 40] = rng.integers(0, 255, 40, dtype=np.uint8).tobytes()
    (tmp_path / "bad.mkv").write_bytes(data)
    listener = RecordingListener()

    frames = play(tmp_path / "bad.mkv", listener)

    assert len(frames) > 8
    assert sum(count for _, count in listener.of("corrupt")) > 0


def make_audio(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_text(path: Path) -> Path:
    path.write_text("no video at all\n" * 100)
    return path


@pytest.mark.parametrize(
    ("make", "failure", "words"),
    [
        (make_audio, SourceFailure.NO_VIDEO, "only audio"),
        (make_text, SourceFailure.UNSUPPORTED, "no video FFmpeg can read"),
        (lambda path: path, SourceFailure.NOT_FOUND, "no such file"),
        (lambda path: path.parent, SourceFailure.UNSUPPORTED, "a folder"),
    ],
    ids=["audio only", "text", "missing", "folder"],
)
def test_what_is_no_clip_is_told_as_what_it_is(
    make: type[Path], failure: SourceFailure, words: str, tmp_path: Path
) -> None:
    """Each with a reason of its own and the path in the sentence."""
    path = make(tmp_path / "clip.mp4")

    with pytest.raises(SourceError, match=words) as caught:
        play(path)

    assert caught.value.failure is failure
    assert str(path) in str(caught.value)


def test_a_clip_is_closed_at_once_while_it_waits(tmp_path: Path) -> None:
    """A clip of one frame in ten seconds does not hold up who stops it."""
    path = tmp_path / "slow.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 64
        for pts in (0, 100):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")
            frame.pts, frame.time_base = pts, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source = source_of(path, Playing(Pace.REALTIME, Playback.ONCE))
    frames = source.frames()
    next(frames)
    began_s = time.monotonic()
    source.close()

    assert list(frames) == []
    assert time.monotonic() - began_s < 1.0


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "count", "size", "seconds"),
    [("vtest.avi", 795, (768, 576), 79.4), ("car-detection.mp4", 377, (768, 432), 30.08)],
)
def test_real_clips_are_whole(assets: Path, name: str, count: int, size: tuple[int, int], seconds: float) -> None:
    """Every frame of a real clip is there, at the time the clip says."""
    listener = RecordingListener()

    infos = [frame.info for frame in source_of(assets / "videos" / name, FAST, listener).frames()]

    assert len(infos) == count
    assert {(info.width_px, info.height_px) for info in infos} == {size}
    assert infos[-1].captured_monotonic_s - infos[0].captured_monotonic_s == pytest.approx(seconds, abs=0.05)
    assert listener.names() == ["opened"]
