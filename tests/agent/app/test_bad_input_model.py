"""A model or labels that cannot be used: refused by `check` and by `run`, with 78, before anything is built."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from fakes.tiny_onnx import FLOAT, INT64, Axes, model
from live.agent_process import AgentProcess
from live.sites import write_site
from models.square_detectors import build_detector
from onnx import helper

from agent.cli import main
from agent.service.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A good site with a model for squares, that a test spoils."""
    return write_site(tmp_path, {"gate": {"source": "rtsp://127.0.0.1/gate"}}, sink="jsonl", log={"format": "json"})


def report_of(site: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `check` says of a site that it refuses."""
    assert main(["check", str(site)]) == ExitCode.CONFIG
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    return output.err


def change(site: Path, section: str, **values: Any) -> Path:
    """Write other values into a section of the site file."""
    content = yaml.safe_load(site.read_text())
    content.setdefault(section, {}).update(values)
    site.write_text(yaml.safe_dump(content))
    return site


def zipped() -> bytes:
    """A zip archive with something in it."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("weights.txt", "none")
        return file.getvalue()


NO_MODELS: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty; allowed: an ONNX file"),
    "a web page": (b"<!DOCTYPE html><html><body>404</body></html>", "this is an HTML page: the download went to"),
    "a zip archive": (zipped(), "this is a zip archive (PyTorch, Core ML or other)"),
    "words": (b"just words\n", "this is a text file"),
    "a Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "this is a Git LFS pointer",
    ),
    "noise": (bytes(range(7, 256)) * 9, "no ONNX model, or one that was cut short or damaged"),
}


@pytest.mark.parametrize("name", NO_MODELS)
def test_a_file_that_is_no_model(name: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report says what the file is instead, and where in the site file it is named."""
    content, told = NO_MODELS[name]
    path = site.with_name("squares.onnx")
    path.write_bytes(content)

    report = report_of(site, capsys)
    assert report.startswith(f"sitewatch: 1 mistake in {site}\n  {site}:")
    assert f"{path}: {told}" in report


@pytest.mark.parametrize("part", [0.99, 0.5, 0.01])
def test_a_truncated_model(part: float, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However much of the download arrived."""
    path = site.with_name("squares.onnx")
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])

    assert f"{path}: no ONNX model, or one that was cut short or damaged" in report_of(site, capsys)


def test_a_model_that_is_not_there(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, or a folder."""
    path = site.with_name("squares.onnx")
    path.unlink()
    assert f"model.path: {path}: no such file; allowed: an ONNX file" in report_of(site, capsys)
    path.mkdir()
    assert f"model.path: {path}: not a file; allowed: an ONNX file" in report_of(site, capsys)


def test_a_core_ml_package_may_be_a_folder(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is read as such; what keeps it from being read is told with its name."""
    package = site.with_name("squares.mlpackage")
    package.mkdir()
    site.write_text(site.read_text().replace("squares.onnx", package.name))

    report = report_of(site, capsys)
    assert str(package) in report
    assert "not a file" not in report


IMAGE: tuple[int, Axes] = (FLOAT, (1, 3, 64, 64))
MISFITS: Mapping[str, tuple[onnx.ModelProto, str]] = {
    "a classifier": (
        model([helper.make_node("GlobalAveragePool", ["x"], ["y"])], {"x": IMAGE}, {"y": (FLOAT, (1, 3, 1, 1))}),
        "the model fits no family sitewatch knows. Seen: input x float32 (1 x 3 x 64 x 64); output y float32",
    ),
    "a language model": (
        model([helper.make_node("Identity", ["x"], ["y"])], {"x": (INT64, (1, 9))}, {"y": (INT64, (1, 9))}),
        "expected one input (batch, 3, height, width) that takes a picture; found x int64 (1 x 9)",
    ),
    "an unknown operator": (
        model([helper.make_node("NoSuchNode", ["x"], ["y"])], {"x": IMAGE}, {"y": IMAGE}),
        "onnxruntime refuses",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_model_that_is_no_detector(name: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was seen in it and what was expected; the path is told once."""
    proto, told = MISFITS[name]
    path = site.with_name("squares.onnx")
    path.write_bytes(proto.SerializeToString())

    report = report_of(site, capsys)
    assert told in report
    assert report.count(str(path)) == 1


def test_a_family_that_it_is_not_of(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the family that was asked for is compared."""
    report = report_of(change(site, "model", family="yolox"), capsys)

    assert "the model is not of the family yolox. Seen: " in report
    assert "nanodet" not in report


def test_labels_of_the_wrong_count(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a list and in a file: how many there are, how many are needed."""
    told = "found 3 labels, but the model has 2 classes; write one label for each class, in order, in model.labels"
    assert told in report_of(change(site, "model", labels=["a", "b", "c"]), capsys)
    file = site.with_name("labels.txt")
    file.write_text("a\nb\nc\n")
    assert f"labels file {file}: {told}" in report_of(change(site, "model", labels=str(file)), capsys)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty"), (b"a\0b", "not UTF-8 text with a label a line"), (b"a\n\nb\n", "line 2: is blank")],
)
def test_labels_that_are_none(content: bytes, told: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A labels file without labels is told with its name."""
    file = site.with_name("labels.txt")
    file.write_bytes(content)
    report = report_of(change(site, "model", labels=str(file)), capsys)

    assert str(file) in report
    assert told in report


def test_labels_that_the_model_lacks(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every one of them in one report with its line, though only the model's metadata tells the labels."""
    change(site, "detection", keep_labels=["red", "bleu"], score_thresholds={"green": 0.5})
    change(site, "cameras", gate={"source": "rtsp://h/a", "keep_labels": ["rad"]})
    report = report_of(site, capsys)

    assert report.startswith(f"sitewatch: 3 mistakes in {site}\n")
    for key, label in (("detection.keep_labels", "bleu"), ("detection.score_thresholds", "green")):
        assert f": {key}: the label {label}, which the model does not have; allowed: its labels: red, blue" in report
    assert "cameras.gate.keep_labels: the label rad" in report
    assert "(did you mean red?)" in report


def test_a_run_ends_before_anything_is_built(site: Path, tmp_path: Path) -> None:
    """A label the model lacks ends it with 78, in one line that names the right key; no engine, no connection."""
    agent = AgentProcess(change(site, "detection", keep_labels=["rad"]), tmp_path)
    agent.spawn()

    assert agent.wait(30) == ExitCode.CONFIG
    lines = [json.loads(line) for line in agent.log.splitlines()]
    assert [line["level"] for line in lines] == ["info", "error"]
    assert lines[-1]["message"] == (
        "sitewatch ends: detection.keep_labels: 'rad' is no label of this model; did you mean 'red'?"
    )


def test_a_replay_refuses_it_alike(tmp_path: Path) -> None:
    """No clip is opened, nothing is written, one sentence on standard error."""
    path = build_detector("yolov8", tmp_path / "m.onnx", input_size=160)
    path.write_bytes(path.read_bytes()[:-400])
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"never read")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "replay", str(clip), "--model", str(path), "--mot", str(tmp_path / "m.txt")],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip

    assert done.returncode == ExitCode.CONFIG
    assert done.stderr == f"sitewatch: {path}: no ONNX model, or one that was cut short or damaged\n"
    assert not (tmp_path / "m.txt").exists()
