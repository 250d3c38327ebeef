"""`sitewatch model bench`, as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from models.square_detectors import build_detector
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.service.exit_codes import ExitCode

SHORT = ("--rounds", "1", "--seconds", "0.05", "--warm-up", "0")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that leaves its batch open, but not its size."""
    return build_detector("yolov8", tmp_path_factory.mktemp("bench") / "squares.onnx", batch="dynamic")


def test_a_table_and_a_plot(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for every combination that ran, a line for those that did not, and a picture beside nothing half done."""
    plot = tmp_path / "bench.png"
    command = ["model", "bench", str(model), "--engine", "openvino,onnxruntime", "--input-size", "320,640"]

    assert main([*command, *SHORT, "--plot", str(plot)]) == ExitCode.OK

    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.startswith("squares.onnx")]
    assert [row[1:4] + row[4:6] for row in rows] == [
        ["openvino", "on", "cpu", "320x320", "fp32"],
        ["onnxruntime", "on", "cpu", "320x320", "fp32"],
    ]
    refused = [line for line in lines if line.startswith("not measured:")]
    assert len(refused) == 1
    assert refused[0].endswith("1 more like it: the model takes pictures of 320x320 only, not of 640x640")
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [plot]


def test_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs: machine, how, and every combination."""
    command = ["model", "bench", str(model), "--engine", "onnxruntime", "--batch", "1,2", "--json"]

    assert main([*command, *SHORT]) == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert told["how"]["rounds"] == 1
    assert [(each["batch"], each["failure"]) for each in told["results"]] == [(1, None), (2, None)]
    for each in told["results"]:
        figures = each["figures"]
        assert figures["inferences"] >= 5
        assert figures["least_ms"] <= figures["p50_ms"] <= figures["p99_ms"] <= figures["most_ms"]


def test_nothing_measured_ends_badly(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reasons are printed, and the status says so."""
    command = ["model", "bench", str(model), "--engine", "onnxruntime", "--input-size", "640"]

    assert main([*command, *SHORT]) == ExitCode.UNAVAILABLE

    output = capsys.readouterr()
    assert "not measured: squares.onnx on onnxruntime on cpu, 640x640" in output.out
    assert output.err.startswith("sitewatch: nothing could be measured: the model takes pictures of 320x320 only")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--plot", "none/bench.png"], ExitCode.CANTCREAT, "none/bench.png cannot be written: there is no such folder"),
        (["--plot", "bench.jpg"], ExitCode.DATAERR, "its name must end in .png"),
        (["--input-size", "7x"], ExitCode.DATAERR, "--input-size: allowed: width x height such as 640x480"),
        (["--sessions", "99"], ExitCode.DATAERR, "--sessions"),
        (["--batch", "1000"], ExitCode.DATAERR, "--batch"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: list[str], code: int, told: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is measured."""
    assert main(["model", "bench", str(model), "--engine", "onnxruntime", *SHORT, *arguments]) == code

    output = capsys.readouterr()
    assert output.out == ""
    assert told in output.err
    assert len(output.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--precision", "fp8"], ["--seconds", "-1"]])
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, and 64."""
    with pytest.raises(SystemExit) as ended:
        main(["model", "bench", "model.onnx", *arguments])

    assert ended.value.code == ExitCode.USAGE
    assert "found" in capsys.readouterr().err


@pytest.mark.mounts
def test_a_full_disk(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is printed, the plot that was there still is, and one line tells why."""
    with SmallDisk(tmp_path / "disk", 2) as disk:
        plot = disk.folder / "bench.png"
        plot.write_bytes(b"old")
        disk.fill()

        code = main(["model", "bench", str(model), "--engine", "onnxruntime", *SHORT, "--plot", str(plot)])

        assert (code, plot.read_bytes()) == (ExitCode.CANTCREAT, b"old")
        assert not list(disk.folder.glob(".bench*"))
    output = capsys.readouterr()
    assert "squares.onnx" in output.out
    assert output.err == f"sitewatch: {plot} cannot be written: No space left on device\n"
