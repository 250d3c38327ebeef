"""Calibration pictures: from folders, clips, cameras and sets, laid in as the model sees them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips.rendered import draw, render_clip
from models.detecting import SQUARES, make_frame, make_plan
from models.layered_squares import build_layered
from servers.rtsp import RtspServer

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.errors import SourceError, ToolInputError
from agent.models.quantize.calibration_pictures import CalibrationSet, gather, refuse_scored

SIZE = (640, 360)


@pytest.fixture
def plan(tmp_path: Path) -> DetectionPlan:
    return make_plan(build_layered(tmp_path / "squares.onnx"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "pictures"
    home.mkdir()
    for number in range(5):
        cv2.imwrite(str(home / f"{number}.png"), draw(SQUARES, SIZE, seed=number))
    (home / "notes.txt").write_text("no picture", encoding="utf-8")
    return home


def test_a_folder_is_laid_in_as_the_model_sees_it(plan: DetectionPlan, folder: Path) -> None:
    """Each picture as the agent's own canvas lays it in, spread over the folder from first to last."""
    found = gather(str(folder), plan, 3, interval_s=1.0)

    canvas = Canvas(1, (128, 128), plan.preprocessing.fit, plan.preprocessing.pad_value)
    for pixels, number in zip(found.pixels, (0, 2, 4), strict=True):
        canvas.paint([make_frame(draw(SQUARES, SIZE, seed=number))])
        assert np.array_equal(pixels, canvas.pixels[0])
    assert found.origin == f"3 pictures of {folder}"


@pytest.mark.parametrize(("count", "wanted"), [(4, 4), (100, 30)])
def test_a_clip_is_spread_over_its_length(count: int, wanted: int, plan: DetectionPlan, tmp_path: Path) -> None:
    """Its first and last frames are among them however long it is; there are no more than it has."""
    clip = tmp_path / "clip.mp4"
    render_clip(clip, seconds=3, fps=10)

    found = gather(str(clip), plan, count, interval_s=1.0)
    whole = gather(str(clip), plan, 1000, interval_s=1.0)

    assert found.pixels.shape == (wanted, 128, 128, 3)
    assert np.array_equal(found.pixels[0], whole.pixels[0])
    assert any(np.array_equal(found.pixels[-1], late) for late in whole.pixels[-8:])


@pytest.mark.rtsp
def test_a_camera_gives_a_picture_every_so_often(plan: DetectionPlan, tmp_path: Path) -> None:
    """As many as asked for, a while apart, and its password is in no sentence."""
    clip = tmp_path / "clip.mp4"
    render_clip(clip, seconds=3, fps=10)

    with RtspServer({"gate": clip}, user="user", password="secret") as server:
        found = gather(server.url("gate", credentials=True), plan, 3, interval_s=0.4)

    assert len(found.pixels) == 3
    assert "secret" not in found.origin


def test_a_set_is_read_back(plan: DetectionPlan, folder: Path, tmp_path: Path) -> None:
    """What was saved is what comes, up to the count."""
    found = gather(str(folder), plan, 5, interval_s=1.0)
    np.save(tmp_path / "set.npy", found.pixels)

    assert np.array_equal(gather(str(tmp_path / "set.npy"), plan, 4, interval_s=1.0).pixels, found.pixels[:4])


def test_what_cannot_be_used_is_told(plan: DetectionPlan, folder: Path, tmp_path: Path) -> None:
    """Nothing there, no picture, cut short, another model's set, no set: a line each."""
    empty = tmp_path / "empty"
    empty.mkdir()
    np.save(tmp_path / "other.npy", np.zeros((2, 64, 64, 3), np.uint8))
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    for source, said in (
        (tmp_path / "nowhere", "no such folder, clip or set"),
        (empty, "no picture in it"),
        (tmp_path / "other.npy", r"the set of this model is uint8 \(N, 128, 128, 3\)"),
        (tmp_path / "broken.npy", "no calibration set"),
    ):
        with pytest.raises(ToolInputError, match=said):
            gather(str(source), plan, 4, interval_s=1.0)
    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:100])
    with pytest.raises(ToolInputError, match=r"1\.png"):
        gather(str(folder), plan, 5, interval_s=1.0)
    (tmp_path / "no.mp4").write_bytes(b"no clip" * 100)
    with pytest.raises(SourceError):
        gather(str(tmp_path / "no.mp4"), plan, 4, interval_s=1.0)


def test_scored_pictures_are_refused(plan: DetectionPlan) -> None:
    """One picture in common is too much; other pictures are fine."""
    canvas = Canvas(1, (128, 128), plan.preprocessing.fit, plan.preprocessing.pad_value)
    frames = [make_frame(draw(SQUARES, SIZE, seed=seed)) for seed in (1, 2, 3)]
    canvas.paint(frames[:1])
    pictures = CalibrationSet(canvas.pixels.copy(), "here")

    refuse_scored(pictures, plan, iter(frames[1:]))
    with pytest.raises(ToolInputError, match="here: 1 of the pictures are among those scored"):
        refuse_scored(pictures, plan, iter(frames))
