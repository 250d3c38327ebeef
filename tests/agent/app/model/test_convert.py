"""`sitewatch model convert` as it is called, to what can be had where the agent is: OpenVINO; and how it refuses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from models.detecting import SQUARES, assert_finds, make_plan, open_detector, square_frame
from models.square_detectors import FAMILIES, build_detector
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.models.convert import to_openvino as converter
from agent.service.exit_codes import ExitCode
from devices.models.openvino_ir import write_ir

ASSETS = ("yolox_nano_416", "yolox_nano_416_v5_layout", "yolox_nano_416_v8_layout", "yolox_nano_416_e2e_layout",
          "deimv2_atto_320", "nanodet_m_320")  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_detector("yolov8", tmp_path / "squares.onnx", input_size=128)


def run(*arguments: str | Path) -> int:
    return main(["model", "convert", *map(str, arguments)])


@pytest.mark.parametrize(("family", "precision"), [*((family, "fp16") for family in FAMILIES), ("yolox", "fp32")])
def test_a_site_takes_the_result(
    family: str, precision: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every family: read as the same, with its labels, and the product finds on it what it finds on the ONNX."""
    source = build_detector(family, tmp_path / "squares.onnx")
    out = tmp_path / "made" / "squares.xml"

    assert run(source, "--to", "openvino", "--out", out, "--precision", precision, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    plan, original = make_plan(out), make_plan(source)
    assert told["written"] == [str(out.with_suffix(".bin")), str(out)]
    assert told["family"] == plan.family == original.family == family
    assert plan.labels.texts == original.labels.texts
    assert [check["asked"] for check in told["checks"]] == ["pictures", "noise"]
    with open_detector(plan, "openvino") as detector:
        assert_finds(detector.detect([square_frame()])[0], SQUARES, within_px=4.0)


@pytest.mark.assets
@pytest.mark.parametrize("name", ASSETS)
def test_real_models(name: str, assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The boxes in photographs are those of ONNX Runtime; the file is not much more than half as large."""
    source = assets / "models" / f"{name}.onnx"

    assert run(source, "--to", "openvino", "--out", tmp_path / "m.xml", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    pictures, noise = told["checks"]
    assert pictures["is_within"]
    assert noise["is_within"]
    assert "boxes: overlap at least" in pictures["text"]
    assert told["result_bytes"] < (0.95 if "deim" in name else 0.65) * told["source_bytes"]


def test_told(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was read, written and compared; beside the model by default; nothing else is left."""
    assert run(model, "--to", "openvino") == 0
    said = capsys.readouterr()
    size = sum((tmp_path / name).stat().st_size for name in ("squares.xml", "squares.bin"))

    assert f"read     {model}: {model.stat().st_size:,} bytes" in said.out
    assert f"wrote    {tmp_path / 'squares.bin'}, {tmp_path / 'squares.xml'}: {size:,} bytes" in said.out
    assert "read as  yolov8, 2 labels from the model's metadata" in said.out
    assert said.err == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["squares.bin", "squares.onnx", "squares.xml"]


def test_labels_go_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels from a file are in the result, so that a site needs no file any more."""
    source = build_detector("yolox", tmp_path / "squares.onnx", input_size=128)
    (tmp_path / "labels.txt").write_text("rot\nblau\n", encoding="utf-8")

    assert run(source, "--to", "openvino", "--labels", tmp_path / "labels.txt") == 0
    assert "2 labels from the model's metadata" in capsys.readouterr().out
    assert make_plan(tmp_path / "squares.xml").labels.texts == ("rot", "blau")


def test_open_sizes_and_batches_stay_open(tmp_path: Path) -> None:
    """What the model leaves open, the result does."""
    source = build_detector("yolov8", tmp_path / "squares.onnx", batch="dynamic")

    assert run(source, "--to", "openvino") == 0
    plan = make_plan(tmp_path / "squares.xml", {"batch": 3})
    assert (plan.batch, plan.is_batch_fixed, plan.batch_fault) == (3, False, "")


def test_what_differs_is_not_written(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference is printed, the exit status says so, and what stood there before still does."""
    wrong = onnx.load(str(model))
    for tensor in wrong.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            array = onnx.numpy_helper.to_array(tensor) * np.float32(1.3)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.save(wrong, str(tmp_path / "wrong.onnx"))
    (tmp_path / "squares.xml").write_text("before")
    monkeypatch.setattr(
        converter, "write_ir", lambda _source, *more, **options: write_ir(tmp_path / "wrong.onnx", *more, **options)
    )

    assert run(model, "--to", "openvino") == ExitCode.DATAERR
    said = capsys.readouterr()
    assert "; that is too far" in said.out
    assert "wrote" not in said.out
    assert said.err.startswith("sitewatch: not what ONNX Runtime answers: ")
    assert said.err.endswith("; nothing was written\n")
    assert (tmp_path / "squares.xml").read_text() == "before"
    assert not (tmp_path / "squares.bin").exists()


def test_another_models_labels_are_noticed(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that would be read otherwise is refused, whatever it computes."""
    monkeypatch.setattr(
        converter,
        "write_ir",
        lambda source, path, notes, **options: write_ir(source, path, {**notes, "names": "['a', 'b']"}, **options),
    )

    assert run(model, "--to", "openvino") == ExitCode.DATAERR
    assert "the result would be read as yolov8 with 2 labels, the model is yolov8 with 2" in capsys.readouterr().err
    assert not (tmp_path / "squares.xml").exists()


BAD_CALLS = {
    "another ending": (["squares.onnx", "--out", "m.onnx"], "ends in .xml", ExitCode.DATAERR),
    "a converted one": (["m.xml"], "is made for openvino already", ExitCode.DATAERR),
    "missing": (["nowhere.onnx"], "nowhere.onnx: no such file", ExitCode.DATAERR),
    "empty": (["empty.onnx"], "the file is empty", ExitCode.DATAERR),
    "cut short": (["short.onnx"], "no ONNX model, or one that was cut short", ExitCode.DATAERR),
    "a folder": (["folder.onnx", "--out", "m.xml"], "a folder, not a file", ExitCode.DATAERR),
    "a text": (["labels.onnx"], "this is a text file", ExitCode.DATAERR),
    "no family": (["sum.onnx"], "expected one input", ExitCode.CONFIG),
    "a folder in the way": (["squares.onnx", "--out", "folder.xml"], "it is a folder", ExitCode.CANTCREAT),
    "a file for a folder": (["squares.onnx", "--out", "squares.onnx/m.xml"], "cannot be written", ExitCode.CANTCREAT),
    "an input of ONNX": (["squares.onnx", "--input", "1x3x8x8"], "--input is for TorchScript", ExitCode.DATAERR),
    "TorchScript without": (["m.pt"], "TorchScript needs --input for each", ExitCode.DATAERR),
    "no pictures": (["squares.onnx", "--images", "folder.onnx"], "no pictures in it", ExitCode.DATAERR),
    "no folder of pictures": (["squares.onnx", "--images", "none"], "No such file", ExitCode.DATAERR),
    "labels that do not fit": (["squares.onnx", "--labels", "labels.onnx"], "found 3 labels", ExitCode.CONFIG),
}


@pytest.mark.parametrize("call", BAD_CALLS)
def test_bad_calls(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """One line, no traceback, nothing written."""
    folder = model.parent
    monkeypatch.chdir(folder)
    for name, content in (
        ("empty.onnx", b""),
        ("short.onnx", model.read_bytes()[:-900]),
        ("labels.onnx", b"a\nb\nc\n"),
    ):
        (folder / name).write_bytes(content)
    for name in ("folder.onnx", "folder.xml"):
        (folder / name).mkdir()
    _sum(folder / "sum.onnx")
    before = sorted(folder.rglob("*"))
    arguments, sentence, code = BAD_CALLS[call]

    assert run(*arguments, "--to", "openvino") == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def _sum(path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (2, 2))
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (2, 2))
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "x"], ["y"])], "sum", [value], [out])
    onnx.save(onnx.helper.make_model(graph, ir_version=8), str(path))


@pytest.mark.mounts
def test_a_full_disk(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, and nothing half written is left."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()

        assert run(model, "--to", "openvino", "--out", disk.folder / "m.xml") == ExitCode.CANTCREAT
        assert "No space left on device" in capsys.readouterr().err
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]


@pytest.mark.mounts
def test_no_room_to_work(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where what is made on the way does not fit."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()
        monkeypatch.setattr("tempfile.tempdir", str(disk.folder))

        assert run(model, "--to", "openvino") in (ExitCode.CANTCREAT, ExitCode.DATAERR)
    said = capsys.readouterr().err
    assert said.startswith("sitewatch: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "squares.xml").exists()


@pytest.mark.parametrize(
    ("target", "module", "sentence"),
    [
        ("openvino", "openvino", "openvino cannot be imported: .*; it needs: pip install 'sitewatch\\[intel\\]'"),
        ("coreml", "coremltools", "coremltools cannot be imported: .*; it needs: pip install 'sitewatch\\[export\\]'"),
        ("tensorrt", "tensorrt", "tensorrt .*; it needs: an NVIDIA GPU with its driver, TensorRT, and pip install"),
    ],
)
def test_what_is_not_installed(
    target: str,
    module: str,
    sentence: str,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line says how to get it."""
    monkeypatch.setitem(sys.modules, module, None)

    assert run(model, "--to", target) == ExitCode.UNAVAILABLE
    said = capsys.readouterr().err
    assert re.search(sentence, said)
    assert said.count("\n") == 1
