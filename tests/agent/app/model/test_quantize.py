"""`sitewatch model quantize` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips.rendered import draw
from models.detecting import SQUARES
from models.layered_squares import build_layered
from models.square_detectors import build_detector
from models.square_folder import write_square_folder
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.detect.detection_plan import plan_model
from agent.models.evaluate.coco_folder import read_coco_folder
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.scoring import score_model
from agent.service.exit_codes import ExitCode
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.tensorrt.calibration import read_pictures


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_layered(tmp_path / "squares.onnx")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    home = tmp_path / "pictures"
    home.mkdir()
    for number in range(3):
        cv2.imwrite(str(home / f"{number}.png"), draw(SQUARES, (640, 360), seed=200 + number))
    return home


def run(*arguments: str | Path) -> int:
    return main(["model", "quantize", *map(str, arguments)])


def test_written_scored_and_told(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model, its set and the cache are there, the set is one that TensorRT's calibrator reads, all is told."""
    dataset = write_square_folder(tmp_path / "set", pictures=2)
    out, saved, cache = tmp_path / "int8.onnx", tmp_path / "set.npy", tmp_path / "cal.cache"

    assert run(model, "--pictures", pictures, "--dataset", dataset, "--out", out, "--save-set", saved,
               "--tensorrt-cache", cache, "--tensorrt-version", "8.5.2", "--json") == ExitCode.OK  # fmt: skip
    said = capsys.readouterr()
    found = json.loads(said.out)

    assert [each["path"] for each in found["written"]] == [str(out), str(saved), str(cache)]
    assert found["written"][0]["bytes"] == out.stat().st_size
    assert {each["layer"] for each in found["in_float"]} == {"wide", "narrow"}
    assert {each["engine"] for each in found["scores"]} == {"onnxruntime on cpu", "openvino on cpu"}
    assert all(abs(each["loss"]) <= 0.01 for each in found["scores"])
    assert all(each["factor"] > 0 for each in found["timed"])
    assert found["complaints"] == []
    assert "4 layers in int8, 0 in float: AP" in said.err
    assert plan_model(out, ModelSettings(path=out), DetectionSettings()).family == "yolov8"
    assert len(list(read_pictures(saved, (1, 128, 128, 3)))) == 3
    assert "images: " in cache.read_text(encoding="ascii")


def test_nncf_for_openvino(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenVINO's own format, which the agent reads back."""
    out = tmp_path / "int8.xml"

    assert run(model, "--pictures", pictures, "--method", "nncf", "--out", out) == ExitCode.OK
    assert "nncf, for openvino: 2 layers in int8, 2 kept in float" in capsys.readouterr().out
    assert plan_model(out, ModelSettings(path=out), DetectionSettings()).family == "yolov8"


def test_fp16(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scored before and after; the precision is that of before."""
    dataset = write_square_folder(tmp_path / "set", pictures=2)
    out = tmp_path / "half.onnx"

    assert run(model, "--to", "fp16", "--dataset", dataset, "--out", out) == ExitCode.OK
    assert "AP before  AP after" in capsys.readouterr().out
    folder = read_coco_folder(dataset)
    assert score_model(out, EngineUse("onnxruntime"), folder).ap == pytest.approx(
        score_model(model, EngineUse("onnxruntime"), folder).ap, abs=0.01
    )


def test_scored_pictures_do_not_calibrate(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written where the loss would be told too small."""
    dataset = write_square_folder(tmp_path / "set", pictures=2)

    assert run(model, "--pictures", dataset / "images", "--dataset", dataset, "--out", tmp_path / "o.onnx") == 65
    assert "2 of the pictures are among those scored" in capsys.readouterr().err
    assert not (tmp_path / "o.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "int8 needs pictures"),
        (("--to", "fp16", "--pictures", "."), "fp16 takes no ranges"),
        (("--pictures", ".", "--tensorrt-cache", "c"), "go together"),
        (("--pictures", ".", "--tensorrt-cache", "c", "--tensorrt-version", "11.4.0"), "has no calibrators"),
        (("--pictures", ".", "--method", "nncf"), "ends in .xml"),
        (("--pictures", "nowhere"), "no such folder, clip or set"),
        (("--pictures", "rtsp://"), "what a camera may be"),
    ],
)
def test_wrong_options_are_told(
    arguments: tuple[str, ...], said: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, no file."""
    assert run(model, "--out", tmp_path / "o.onnx", *arguments) == ExitCode.DATAERR
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["squares.onnx"]


def test_the_model_is_not_overwritten(model: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The float model is still needed."""
    before = model.read_bytes()

    assert run(model, "--pictures", pictures, "--out", model) == ExitCode.DATAERR
    assert "must have names of their own" in capsys.readouterr().err
    assert model.read_bytes() == before


def test_a_file_that_is_no_model(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, cut short, and one with nothing to quantise: one line each."""
    broken, bare = tmp_path / "broken.onnx", tmp_path / "bare.onnx"
    broken.write_bytes(build_layered(tmp_path / "whole.onnx").read_bytes()[:500])
    build_detector("yolov8", bare, input_size=128)
    for path, status, said in (
        (tmp_path / "none.onnx", 78, "no such file"),
        (broken, 78, "cut short or damaged"),
        (bare, 65, "no convolution or matrix product"),
    ):
        assert run(path, "--pictures", pictures, "--out", tmp_path / "o.onnx") == status
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
        assert not (tmp_path / "o.onnx").exists()


@pytest.mark.mounts
def test_a_full_disk(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told in one line, and nothing half written is left."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()
        status = run(model, "--pictures", pictures, "--out", disk.folder / "o.onnx", "--no-timing")
        left = [path.name for path in disk.folder.iterdir()]

    assert status == ExitCode.CANTCREAT
    assert "cannot be written" in capsys.readouterr().err.splitlines()[-1]
    assert left == ["filler"]


@pytest.mark.assets
def test_a_real_detector(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """YOLOX-nano, its eight costliest layers named so that none need be looked for, on some of COCO's pictures."""
    kept = ["Conv_44", "Conv_41", "Conv_47", "Conv_70", "Conv_67", "Conv_299", "Conv_237", "Conv_165"]
    options = [word for name in kept for word in ("--keep-float", name)]
    clip = assets / "videos" / "person-bicycle-car_480x270.mp4"

    assert run(assets / "models" / "yolox_nano_416.onnx", "--pictures", clip, "--count", "8", *options, "--json",
               "--dataset", assets / "coco", "--limit", "12", "--max-loss", "0.05", "--no-timing",
               "--out", tmp_path / "o.onnx") == ExitCode.OK  # fmt: skip
    found = json.loads(capsys.readouterr().out)

    assert found["int8_layers"] >= 100
    assert found["complaints"] == []
    assert np.mean([each["before"] for each in found["scores"]]) > 0.3
