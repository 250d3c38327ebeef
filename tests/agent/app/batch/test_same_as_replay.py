"""What a batch writes of a clip is what `sitewatch replay` writes of it alone."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from batches.batching import Batched, batch, draw_clips, events_in, results_of, site_of, site_of_squares, times_in
from models.bundles import make_bundle
from replays.replaying import Replayed, replay

LENGTHS_S = {"ash": 2.0, "birch": 3.0, "cedar": 1.5, "elm": 2.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wood")


@pytest.fixture(scope="module")
def clips(folder: Path) -> list[Path]:
    return draw_clips(folder / "clips", **LENGTHS_S)


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    return site_of_squares(folder)


@pytest.fixture(scope="module")
def alone(clips: list[Path], site: Path, folder: Path) -> dict[str, Replayed]:
    """Some of them replayed each by itself, with the model."""
    return {clip.stem: replay(clip, folder / clip.stem, "--site", site) for clip in clips[:2]}


def assert_same(batched: Batched, alone: dict[str, Replayed], least_rows: int = 5) -> None:
    """The clips are done, with the same events, and tracks to the byte."""
    assert batched.exit_status == 0
    assert set(batched.states.values()) == {"done"}
    for name, replayed in alone.items():
        assert replayed.exit_status == 0
        assert (batched.folder / f"{name}.txt").read_bytes() == (replayed.folder / "tracks.txt").read_bytes()
        found, expected = (batched.folder / f"{name}.events.jsonl", replayed.folder / "events.jsonl")
        assert events_in(found) == events_in(expected)
        np.testing.assert_allclose(times_in(found), times_in(expected), atol=0.0015)  # told in whole milliseconds
        assert len(replayed.rows) >= least_rows


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("frames", [1, 4])
def test_with_a_model(
    clips: list[Path], site: Path, alone: dict[str, Replayed], tmp_path: Path, jobs: int, frames: int
) -> None:
    """However many are in play, and however many frames of theirs are in one inference, or overtake each other."""
    asked = {"--site": site, "--jobs": jobs, "--batch": frames, "--sessions": 2 if frames > 1 else 1}
    options = [str(each) for option in asked.items() for each in option]
    batched = batch(clips, tmp_path / "out", *options, "--mot", "--no-video")

    assert_same(batched, alone)
    assert batched.names == results_of(*LENGTHS_S, endings=("events.jsonl", "txt", "done.json"))


@pytest.mark.parametrize("jobs", [1, 4])
def test_with_the_motion_detector(clips: list[Path], tmp_path: Path, jobs: int) -> None:
    """Which remembers what it saw of each camera."""
    alone = {clip.stem: replay(clip, tmp_path / clip.stem, "--model", "motion") for clip in clips[:3]}

    assert_same(batch(clips[:3], tmp_path / "out", "--jobs", str(jobs), "--mot"), alone)


def test_the_videos(clips: list[Path], tmp_path: Path) -> None:
    """Each has every frame of its clip."""
    batched = batch(clips[:3], tmp_path / "out", "--jobs", "3")

    assert batched.names == results_of("ash", "birch", "cedar")
    for name in ("ash", "birch", "cedar"):
        with av.open(str(batched.folder / f"{name}.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == round(10 * LENGTHS_S[name])


def test_with_a_bundle(clips: list[Path], tmp_path: Path) -> None:
    """A bundle in place of a model, and again: it is known to be the same."""
    site = site_of(make_bundle(tmp_path / "squares.swmodel"), tmp_path)
    alone = {clip.stem: replay(clip, tmp_path / clip.stem, "--site", site) for clip in clips[2:3]}
    options = ("--site", site, "--mot", "--no-video")

    assert_same(batch(clips[2:3], tmp_path / "out", *options), alone, least_rows=0)
    assert batch(clips[2:3], tmp_path / "out", *options).states == {"cedar": "done before"}


@pytest.mark.assets
def test_real_clips(assets: Path, tmp_path: Path) -> None:
    """Of people, cars and bicycles, with a real model."""
    clips = [assets / "videos" / name for name in ("person-bicycle-car_480x270.mp4", "Traffic2_short.mp4")]
    site = site_of(assets / "models" / "yolox_nano_416.onnx", tmp_path, labels=str(assets / "models" / "coco80.txt"))
    alone = {clip.stem: replay(clip, tmp_path / clip.stem, "--site", site) for clip in clips[:1]}
    batched = batch(clips, tmp_path / "out", "--site", site, "--jobs", "2", "--mot", "--no-video")

    assert_same(batched, alone)
    assert batched.summary["totals"]["frames"] == 61
