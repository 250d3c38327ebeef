"""`sitewatch model torchserve` as it is called: what it writes, and what it refuses."""

from __future__ import annotations

import ast
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from models.square_detectors import build_detector
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.service.exit_codes import ExitCode

THIRD_PARTY = {"numpy", "cv2", "PIL", "onnxruntime"}


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_detector("yolov8", tmp_path_factory.mktemp("model") / "squares.onnx", input_size=96)


def run(*arguments: str | Path) -> int:
    return main(["model", "torchserve", *map(str, arguments)])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path, status: int = ExitCode.DATAERR) -> str:
    """The one line that says why nothing was written."""
    capsys.readouterr()
    assert run(*arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    return line


def config_in(folder: Path) -> dict[str, str]:
    lines = (folder / "config.properties").read_text(encoding="ascii").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_what_is_written_and_told(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loopback only, keys on, nothing fetched or installed by itself; and that TorchServe has no future is said."""
    out = tmp_path / "my serving"
    assert run(squares, "--out", out, "--workers", "2", "--max-batch", "4") == ExitCode.OK
    told = capsys.readouterr().out
    config = config_in(out)
    archive = zipfile.ZipFile(out / "model-store" / "squares.mar")

    assert {value for key, value in config.items() if key.endswith("_address")} == {
        "http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8082", "127.0.0.1",
    }  # fmt: skip
    assert config["disable_token_authorization"] == config["enable_model_api"] == "false"
    assert config["install_py_dep_per_model"] == "false"
    manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
    assert manifest["model"]["modelName"] == "squares"
    assert {manifest["model"][key] for key in ("serializedFile", "handler", "configFile")} < set(archive.namelist())
    assert json.loads(archive.read("model-config.yaml")) == {
        "minWorkers": 2, "maxWorkers": 2, "batchSize": 4, "maxBatchDelay": 10, "deviceType": "cpu",
    }  # fmt: skip
    assert "TorchServe is no longer developed (archived in 2025)" in told
    assert f"cd '{out}' && torchserve --foreground --ts-config config.properties" in told
    assert "squares.onnx: family yolov8, 96x96 rgb" in told


def test_what_is_carried_along(squares: Path, tmp_path: Path) -> None:
    """The handler's parts import nothing but themselves, Python and what requirements.txt asks for; no settings."""
    run(squares, "--out", tmp_path)
    archive = zipfile.ZipFile(tmp_path / "model-store" / "squares.mar")
    parts = zipfile.ZipFile(io.BytesIO(archive.read("sitewatch_parts.zip")))
    imported = {
        name.split(".")[0]
        for part in parts.namelist()
        for node in ast.parse(parts.read(part)).body
        for name in _names(node)
    }

    assert imported <= {*sys.stdlib_module_names, *THIRD_PARTY, "agent", "devices", "trackers"}
    assert "agent/detect/decoders/yolov8.py" in parts.namelist()
    assert not [name for name in parts.namelist() if "settings" in name or "yolox" in name]
    assert len((tmp_path / "requirements.txt").read_text().split()) == len(THIRD_PARTY) + 1


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_models_that_share_a_folder(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second goes beside the first; another of the same name, or other ports, only where that is asked for."""
    run(squares, "--out", tmp_path)
    archive = tmp_path / "model-store" / "squares.mar"
    before = archive.read_bytes()

    assert run(squares, "--out", tmp_path, "--name", "second") == ExitCode.OK
    assert run(squares, "--out", tmp_path) == ExitCode.OK
    assert archive.read_bytes() == before
    assert f"{archive}: there is another already; --replace" in refusal(
        capsys, squares, "--out", tmp_path, "--threads", "2"
    )
    assert "config.properties: there is another already" in refusal(
        capsys, squares, "--out", tmp_path, "--port", "9000"
    )
    assert run(squares, "--out", tmp_path, "--threads", "2", "--no-token", "--replace") == ExitCode.OK
    assert archive.read_bytes() != before
    assert config_in(tmp_path)["disable_token_authorization"] == "true"


REFUSED: dict[str, tuple[list[str], str]] = {
    "name": (["--name", "a b"], "--name: found 'a b'"),
    "version": (["--model-version", "one"], "--model-version: found 'one'"),
    "ports": (["--port", "7069"], "--port takes three ports from 7069, --grpc-port two from 7070; they must not meet"),
    "beyond": (["--port", "65534"], "nor go beyond 65535"),
    "family": (["--family", "detr"], "is not of the family detr"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_cannot_be(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """What does not fit is refused, and nothing is written."""
    options, sentence = REFUSED[case]
    capsys.readouterr()

    assert run(squares, "--out", tmp_path / "serving", *options) == ExitCode.DATAERR
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "serving").exists()


def test_models_that_cannot_be(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that is missing, cut short or something else is refused by name, and nothing is written."""
    whole = squares.read_bytes()
    for name, content in (("cut.onnx", whole[: len(whole) // 2]), ("empty.onnx", b""), ("text.onnx", b"hello there")):
        (tmp_path / name).write_bytes(content)

    for name in ("absent.onnx", "cut.onnx", "empty.onnx", "text.onnx"):
        assert name in refusal(capsys, tmp_path / name, "--out", tmp_path / "serving")
    assert not (tmp_path / "serving").exists()


@pytest.mark.mounts
def test_a_full_disk(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so, and nothing is left of the attempt."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()
        line = refusal(capsys, squares, "--out", disk.folder / "serving", status=ExitCode.CANTCREAT)

        assert "serving cannot be written: No space left on device" in line
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]
