"""`sitewatch model triton` as it is called: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import yaml
from google.protobuf import text_format
from models.square_detectors import build_detector
from tritonclient.grpc import model_config_pb2

from agent.cli import main
from agent.service.exit_codes import ExitCode
from devices.engines.openvino.runtime import import_runtime

LABELS = "red\nblue\n"


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_detector("yolov8", tmp_path_factory.mktemp("model") / "squares.onnx", input_size=96)


def run(*arguments: str | Path) -> int:
    return main(["model", "triton", *map(str, arguments)])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path, status: int = ExitCode.DATAERR) -> str:
    """The one line that says why nothing was written."""
    capsys.readouterr()
    assert run(*arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    return line


def config_in(folder: Path) -> Any:
    return text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


def test_what_is_written_and_told(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Configuration, labels and the model's own bytes; read, written, size, and the site file's lines."""
    assert run(squares, "--out", tmp_path / "models", "--name", "gate-1.0") == ExitCode.OK
    folder = tmp_path / "models" / "gate-1.0"
    told, _, snippet = capsys.readouterr().out.partition("in the site file:\n\n")

    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "1/model.onnx", "config.pbtxt", "labels.txt",
    ]  # fmt: skip
    assert (folder / "labels.txt").read_text() == LABELS
    assert (folder / "1" / "model.onnx").read_bytes() == squares.read_bytes()
    assert config_in(folder).name == "gate-1.0"
    assert "squares.onnx: family yolov8, 96x96 rgb" in told
    assert "gate-1.0/config.pbtxt, gate-1.0/labels.txt, gate-1.0/1/model.onnx (" in told
    assert yaml.safe_load(snippet)["model"] == {
        "path": str(squares), "engine": "kserve", "servers": ["grpc://127.0.0.1:8001"], "remote_model": "gate-1.0",
    }  # fmt: skip


def test_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model in it is served under its own name; the site's file goes on naming the bundle."""
    bundle = tmp_path / "packed.swmodel"
    picture = np.full((360, 640, 3), 128, np.uint8)
    cv2.rectangle(picture, (100, 100), (163, 163), (0, 0, 255), -1)
    cv2.imwrite(str(tmp_path / "golden.png"), picture)
    model = build_detector("yolov8", tmp_path / "squares.onnx")
    golden = ("--licence", "Apache-2.0", "--images", str(tmp_path / "golden.png"))
    assert main(["model", "pack", str(model), *golden, "-o", str(bundle)]) == ExitCode.OK
    capsys.readouterr()

    assert run(bundle, "--out", tmp_path / "models") == ExitCode.OK

    snippet = yaml.safe_load(capsys.readouterr().out.partition("in the site file:\n\n")[2])["model"]
    assert (tmp_path / "models" / "squares" / "1" / "model.onnx").read_bytes() == model.read_bytes()
    assert (snippet["path"], snippet.get("remote_model")) == (str(bundle), None)


def test_another_model_of_that_name(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stays as it is, unless it is to be replaced; then nothing of it is left."""
    other = tmp_path / "models" / "squares"
    (other / "7").mkdir(parents=True)
    (other / "config.pbtxt").write_text("theirs")

    line = refusal(capsys, squares, "--out", tmp_path / "models")
    assert f"{other}: there is another model already; --name gives this one another name, --replace" in line
    assert (other / "config.pbtxt").read_text() == "theirs"

    assert run(squares, "--out", tmp_path / "models", "--replace") == ExitCode.OK
    assert config_in(other).name == "squares"
    assert not (other / "7").exists()


def test_versions_of_one_model(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Written alike, a version goes beside the first; the same one twice, or another way of running, is refused."""
    models = tmp_path / "models"
    run(squares, "--out", models)
    newer = build_detector("yolov8", tmp_path / "squares.onnx", input_size=96, side_px=32)

    assert run(newer, "--out", models, "--model-version", "2") == ExitCode.OK
    assert (models / "squares" / "1" / "model.onnx").read_bytes() == squares.read_bytes()
    assert (models / "squares" / "2" / "model.onnx").read_bytes() == newer.read_bytes()
    assert "there is version 2 of it already" in refusal(capsys, newer, "--out", models, "--model-version", "2")
    assert "there is another model already" in refusal(
        capsys, newer, "--out", models, "--model-version", "3", "--instances", "2"
    )


def test_weights_beside_the_model(squares: Path, tmp_path: Path) -> None:
    """They go with it, unless the model is changed on the way: then they are in it."""
    proto = onnx.load(squares)
    path = tmp_path / "apart.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="apart.data", size_threshold=0)

    assert run(path, "--out", tmp_path / "models") == ExitCode.OK
    assert run(path, "--out", tmp_path / "models", "--name", "inside", "--pictures") == ExitCode.OK

    assert (tmp_path / "models" / "apart" / "1" / "apart.data").read_bytes() == (tmp_path / "apart.data").read_bytes()
    assert [each.name for each in (tmp_path / "models" / "inside" / "1").iterdir()] == ["model.onnx"]
    (image,) = config_in(tmp_path / "models" / "inside").input
    assert (image.name, image.data_type) == ("sitewatch.pictures", model_config_pb2.TYPE_UINT8)


def test_an_openvino_model(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is held in the model's place where its tensors are the model's, else refused with both."""
    stranger = build_detector("yolov8", tmp_path / "stranger.onnx", input_size=128)
    for source, name in ((squares, "made.xml"), (stranger, "stranger.xml")):
        import_runtime().save_model(import_runtime().Core().read_model(source), tmp_path / name)

    assert run(squares, "--out", tmp_path / "models", "--held", tmp_path / "made.xml") == ExitCode.OK
    version = tmp_path / "models" / "squares" / "1"
    assert sorted(path.name for path in version.iterdir()) == ["model.bin", "model.xml"]
    assert config_in(version.parent).backend == "openvino"
    line = refusal(capsys, squares, "--out", tmp_path / "new", "--held", tmp_path / "stranger.xml")
    assert (
        "not made of this model: input images float32 (1, 3, 96, 96) is expected, found images float32 (1, 3, 1" in line
    )

    (tmp_path / "made.bin").write_bytes((tmp_path / "made.bin").read_bytes()[:100])
    refusal(capsys, squares, "--out", tmp_path / "new", "--held", tmp_path / "made.xml")
    (tmp_path / "made.bin").unlink()
    assert "made.bin, which is not beside it" in refusal(
        capsys, squares, "--out", tmp_path / "new", "--held", tmp_path / "made.xml"
    )
    assert not (tmp_path / "new").exists()


def test_only_an_openvino_model(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Servers take it; that the agent needs the ONNX file to use it there is said, in the place of a snippet."""
    import_runtime().save_model(import_runtime().Core().read_model(squares), tmp_path / "made.xml")

    assert run(tmp_path / "made.xml", "--out", tmp_path / "models", "--family", "yolov8") == ExitCode.OK

    told = capsys.readouterr().out
    assert "give that as MODEL, and this one as --held" in told
    assert "in the site file" not in told
    assert config_in(tmp_path / "models" / "made").backend == "openvino"
    for options in (("--pictures",), ("--for", "mlserver")):
        refusal(capsys, tmp_path / "made.xml", "--out", tmp_path / "new", *options)


def test_a_tensorrt_plan(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is known by its first bytes; what is inside cannot be seen here, and that is said."""
    (tmp_path / "made.plan").write_bytes(b"ftrt" + bytes(60))
    (tmp_path / "text.plan").write_text("no plan")

    assert run(squares, "--out", tmp_path / "models", "--held", tmp_path / "made.plan") == ExitCode.OK
    assert "made.plan cannot be looked into here" in capsys.readouterr().out
    assert config_in(tmp_path / "models" / "squares").platform == "tensorrt_plan"
    line = refusal(capsys, squares, "--out", tmp_path / "new", "--held", tmp_path / "text.plan")
    assert "text.plan: no TensorRT plan: a text file" in line


def test_the_list_of_openvino_model_server(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's entry joins those of others, which stay; another's of the same name is not written over."""
    listed = tmp_path / "models" / "config.json"
    listed.parent.mkdir()
    theirs = {"config": {"name": "theirs", "base_path": "/srv/theirs"}}
    listed.write_text(json.dumps({"model_config_list": [theirs], "monitoring": {"metrics": {"enable": True}}}))

    assert run(squares, "--out", listed.parent, "--for", "ovms") == ExitCode.OK
    config = json.loads(listed.read_text())

    own = {"config": {"name": "squares", "base_path": str(listed.parent / "squares")}}
    assert config["model_config_list"] == [theirs, own]
    assert config["monitoring"] == {"metrics": {"enable": True}}
    assert (listed.parent / "squares" / "1" / "model.onnx").exists()
    line = refusal(capsys, squares, "--out", listed.parent, "--for", "ovms", "--name", "theirs")
    assert "config.json: lists another model as theirs" in line
    assert not (listed.parent / "theirs").exists()

    listed.write_text("{")
    assert "config.json: no JSON" in refusal(
        capsys, squares, "--out", listed.parent, "--for", "ovms", "--name", "third"
    )
    assert listed.read_text() == "{"


REFUSED: dict[str, tuple[list[str], str]] = {
    "name": (["--name", "../gate"], "--name: found '../gate'; allowed are letters"),
    "version": (["--model-version", "latest"], "--model-version: found 'latest'; allowed is a whole number"),
    "back end of another server": (["--for", "ovms", "--back-end", "python"], "--back-end is of Triton"),
    "held by MLServer": (["--for", "mlserver", "--held", "m.xml"], "MLServer runs the ONNX model itself"),
    "environment": (["--environment", "/srv/py"], "--environment is of --back-end python"),
    "size": (["--input-size", "64x64"], "the model takes 96x96 pictures, the site file says 64x64"),
    "family": (["--family", "detr"], "is not of the family detr"),
    "held is not there": (["--held", "absent.plan"], "absent.plan: cannot be read: No such file"),
    "held is ONNX": (["--held", "other.onnx"], "other.onnx: cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_cannot_be(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """What does not fit is refused in one line, and nothing is written."""
    options, sentence = REFUSED[case]
    capsys.readouterr()

    assert run(squares, "--out", tmp_path / "models", *options) == ExitCode.DATAERR
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_models_that_cannot_be(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that is missing, cut short, something else, or Apple's is refused by name, and nothing is written."""
    whole = squares.read_bytes()
    for name, content in (("cut.onnx", whole[: len(whole) // 2]), ("empty.onnx", b""), ("text.onnx", b"hello there")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "apple.mlpackage").mkdir()

    for name in ("absent.onnx", "cut.onnx", "empty.onnx", "text.onnx", "apple.mlpackage"):
        assert name in refusal(capsys, tmp_path / name, "--out", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_repository_that_cannot_be(squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in the repository's place is told, and stays."""
    (tmp_path / "models").write_text("a file")

    line = refusal(capsys, squares, "--out", tmp_path / "models", status=ExitCode.CANTCREAT)

    assert "models cannot be written" in line
    assert (tmp_path / "models").read_text() == "a file"
    shutil.rmtree(tmp_path, ignore_errors=True)
