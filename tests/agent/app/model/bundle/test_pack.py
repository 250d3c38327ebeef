"""`sitewatch model pack`: one file, the same each time, written when it was verified and not before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from clips.rendered import draw
from models.bundles import PICTURE_PX, manifest_of, parts_of, quantised
from models.detecting import SQUARES
from models.square_detectors import build_detector
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.models.bundle.bundle import opened
from agent.service.exit_codes import ExitCode


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_detector("yolov8", tmp_path / "squares.onnx", input_size=160, frame_px=PICTURE_PX)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two pictures of squares, and something that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(2):
        cv2.imwrite(str(folder / f"{seed}.png"), draw(SQUARES, PICTURE_PX, seed=seed))
    (folder / "notes.txt").write_text("none")
    return folder


def pack(*words: Any) -> int:
    """Run it."""
    return main(["model", "pack", *map(str, words)])


def test_a_model_with_all_that_belongs_to_it(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was given is in it; what was read, written and verified is told."""
    text = tmp_path / "licence.txt"
    text.write_text("Do what you like.\n")
    more = ("--images", pictures, "--calibration", pictures, "--licence-file", text, "--score-threshold", 0.3)
    second = quantised(model, tmp_path / "rounded.onnx")

    assert pack(model, second, "--licence", "MIT OR Apache-2.0", *more, "--name", "yard") == ExitCode.OK
    told = capsys.readouterr().out
    parts = parts_of(model.with_suffix(".swmodel"))
    assert list(parts) == [
        "manifest.json", "fp32/yard.onnx", "golden/fp32.json", "int8/yard.onnx", "golden/int8.json",
        "labels.txt", "golden/0.npy", "golden/1.npy", "LICENSE", "calibration.npy",
    ]  # fmt: skip
    assert parts["fp32/yard.onnx"] == model.read_bytes()
    assert parts["labels.txt"] == b"red\nblue\n"
    manifest = json.loads(parts["manifest.json"])
    assert manifest["licence"] == {"expression": "MIT OR Apache-2.0", "text": "LICENSE"}
    assert manifest["thresholds"]["score_threshold"] == 0.3
    assert manifest["feed"]["fit"] == "letterbox_centre"
    assert f"read {model}, {second}: {model.stat().st_size + second.stat().st_size} bytes" in told
    assert f"wrote {model.with_suffix('.swmodel')}: {model.with_suffix('.swmodel').stat().st_size} bytes" in told
    assert told.count("4 golden boxes: overlap at least 1.000, scores within 0.0000") == 2


def test_packing_twice_gives_the_same_file(model: Path, pictures: Path, tmp_path: Path) -> None:
    """Byte for byte, so that who has the parts can tell whether a bundle was made of them."""
    for name in ("a", "b"):
        assert pack(model, "--licence", "MIT", "--images", pictures, "-o", tmp_path / name) == ExitCode.OK

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_a_site_file_says_goes_with_it(model: Path, pictures: Path, tmp_path: Path) -> None:
    """Preprocessing, labels and thresholds; an option overrules it."""
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: yard\nsink: jsonl\nmodel: {path: other.onnx, labels: [rot, blau], pad_value: 7}\n"
        "detection: {score_threshold: 0.2, score_thresholds: {rot: 0.5}, max_detections: 9}\n"
        "cameras: {gate: {source: 'rtsp://h/a'}}\n"
    )
    options = ("--site", site, "--score-threshold", 0.4, "--images", pictures, "--licence", "MIT")

    assert pack(model, *options) == ExitCode.OK
    manifest = manifest_of(model.with_suffix(".swmodel"))
    assert manifest["feed"]["pad_value"] == 7
    assert manifest["thresholds"] == {
        "score_threshold": 0.4, "score_thresholds": {"rot": 0.5}, "iou_threshold": 0.65, "max_detections": 9,
    }  # fmt: skip
    assert parts_of(model.with_suffix(".swmodel"))["labels.txt"] == b"rot\nblau\n"


def test_calibration_is_laid_in_as_the_model_takes_it(model: Path, pictures: Path, tmp_path: Path) -> None:
    """From a folder, some of it evenly; or as it is from a file, when its size is right."""
    options = ("--images", pictures, "--licence", "MIT", "-o", tmp_path / "m.swmodel")
    assert pack(model, *options, "--calibration", pictures, "--calibration-limit", 1) == ExitCode.OK
    array = tmp_path / "set.npy"
    array.write_bytes(parts_of(tmp_path / "m.swmodel")["calibration.npy"])
    loaded = np.load(array)

    assert (loaded.shape, loaded.dtype) == ((1, 160, 160, 3), np.uint8)
    assert set(loaded[0, :30].ravel()) == {114}
    assert pack(model, *options, "--calibration", array) == ExitCode.OK
    assert parts_of(tmp_path / "m.swmodel")["calibration.npy"] == array.read_bytes()


def _with_weights_beside(model: Path) -> None:
    proto = onnx.load(str(model))
    onnx.save_model(proto, str(model), save_as_external_data=True, location="weights", size_threshold=0)


WRONG: dict[str, tuple[tuple[str, ...], ExitCode, str]] = {
    "nothing to find": (("--images", "{folder}/grey.png"), ExitCode.DATAERR, "finds nothing of a score from"),
    "no picture": (("--images", "{folder}/empty"), ExitCode.DATAERR, "empty: a folder without pictures"),
    "a picture that is gone": (("--images", "{folder}/gone.png"), ExitCode.DATAERR, "gone.png: cannot be read"),
    "a picture that is none": (("--images", "{folder}/words.txt"), ExitCode.DATAERR, "bytes that are no picture"),
    "an odd licence": (("--licence", "©"), ExitCode.DATAERR, "--licence: found '©'; allowed: an SPDX expression"),
    "a binary licence": (("--licence-file", "{folder}/pic/0.png"), ExitCode.DATAERR, "a licence's text must be UTF-8"),
    "an odd name": (("--name", "a/b"), ExitCode.DATAERR, "--name: found 'a/b'; allowed: letters"),
    "an odd size": (("--input-size", "big"), ExitCode.DATAERR, "--input-size: found big; allowed is a size"),
    "another size": (("--input-size", "320"), ExitCode.CONFIG, "the model takes 160x160 pictures"),
    "wrong labels": (("--labels", "{folder}/words.txt"), ExitCode.CONFIG, "found 1 labels, but the model has 2"),
    "a threshold beyond 1": (("--score-threshold", "2"), ExitCode.DATAERR, "--score-threshold: found 2.0; allowed"),
    "no such folder": (("-o", "{folder}/no/x.swmodel"), ExitCode.CANTCREAT, "cannot be written: there is no such"),
    "a calibration set of another size": (("--calibration", "{folder}/set.npy"), ExitCode.DATAERR, "are 8x8, and the"),
    "a calibration set that is none": (("--calibration", "{folder}/bad.npy"), ExitCode.DATAERR, "bad.npy is no NumPy"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_packed(name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, a code of its own, and no file, whole or half."""
    words, code, told = WRONG[name]
    (tmp_path / "empty").mkdir()
    (tmp_path / "pic").mkdir()
    (tmp_path / "words.txt").write_text("words\n")
    (tmp_path / "bad.npy").write_text("words\n")
    np.save(tmp_path / "set.npy", np.zeros((1, 8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "pic" / "0.png"), draw(SQUARES, PICTURE_PX, seed=0))
    cv2.imwrite(str(tmp_path / "grey.png"), draw([], PICTURE_PX, seed=0))
    good = ["--licence", "MIT"] if "--images" in words else ["--licence", "MIT", "--images", tmp_path / "pic"]
    before = sorted(tmp_path.iterdir())

    assert pack(model, *good, *(word.format(folder=tmp_path) for word in words)) == code
    report = capsys.readouterr()
    assert told in report.err
    assert report.err.count("\n") == 1
    assert report.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_models_that_do_not_fit_each_other(
    model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of one precision; another model; a bundle; weights in other files; no model at all."""
    other = build_detector("yolov8", tmp_path / "other.onnx", input_size=192, frame_px=PICTURE_PX)
    words = tmp_path / "words.onnx"
    words.write_text("words")
    options = ("--licence", "MIT", "--images", pictures, "-o", tmp_path / "x.swmodel")

    assert pack(model, model, *options) == ExitCode.DATAERR
    assert "another model in fp32; a bundle has one of each precision" in capsys.readouterr().err
    assert pack(model, quantised(other, tmp_path / "q.onnx"), *options) == ExitCode.DATAERR
    assert "in another precision: their pictures differ" in capsys.readouterr().err
    assert pack(tmp_path / "b.swmodel", *options) == ExitCode.DATAERR
    assert "is a bundle already" in capsys.readouterr().err
    assert pack(words, *options) == ExitCode.CONFIG
    assert "words.onnx: this is a text file" in capsys.readouterr().err
    _with_weights_beside(model)
    assert pack(model, *options) == ExitCode.DATAERR
    assert "keeps its weights in files beside it" in capsys.readouterr().err
    assert not (tmp_path / "x.swmodel").exists()


@pytest.mark.mounts
def test_a_full_disk(model: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that was there is there still, and nothing half written beside it."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        out = disk.folder / "x.swmodel"
        out.write_bytes(b"before")
        assert pack(model, "--licence", "MIT", "--images", pictures, "-o", out) == ExitCode.CANTCREAT
        assert f"sitewatch: {out} cannot be written: No space left on device\n" in capsys.readouterr().err
        assert out.read_bytes() == b"before"
        assert list(disk.folder.iterdir()) == [out]


@pytest.mark.assets
def test_a_real_model_needs_no_pictures(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two that come with sitewatch hold what COCO's models know."""
    models = assets / "models"
    out = tmp_path / "nano.swmodel"
    options = ("--labels", models / "coco80.txt", "--licence", "Apache-2.0", "-o", out, "--json")

    assert pack(models / "yolox_nano_416.onnx", *options) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["labels"], told["golden"]) == ("yolox_nano_416", 80, 2)
    assert told["engines"][0]["is_within"]
    assert told["engines"][0]["matches"] >= 6
    with opened(out) as bundle:
        assert bundle.sha256 == told["sha256"]
