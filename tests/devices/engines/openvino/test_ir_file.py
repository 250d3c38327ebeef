"""OpenVINO's own format as a model: what is read off it, what is refused, and that the engine runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes.tiny_onnx import doubled

from devices.engines.any_model import only_runtime, read_any_model
from devices.engines.dry_run import dry_run
from devices.engines.engine import EngineRequest, ImageInput, TensorSpec
from devices.engines.openvino.engine import load
from devices.engines.openvino.ir_file import read_ir
from devices.errors import ModelFileError
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.openvino_ir import write_ir

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
X = np.ones((1, 3, 4, 5), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice x plus one."""
    path = tmp_path / "doubled.xml"
    write_ir(doubled().write(tmp_path), path, {"names": "{0: 'person'}"}, is_half=False)
    return path


def test_what_it_says(model: Path) -> None:
    """Inputs, outputs, notes, precision; found by the name's ending; run by OpenVINO alone."""
    file = read_any_model(model)

    assert file.inputs == (TensorSpec("x", "float32", (1, 3, 4, 5)),)
    assert file.outputs == (TensorSpec("y", "float32", (1, 3, 4, 5)),)
    assert file.metadata["names"] == "{0: 'person'}"
    assert file.precision == "fp32"
    assert only_runtime(model) == "openvino"
    assert only_runtime(model.with_suffix(".onnx")) is None


def test_the_digest_is_of_both_files(model: Path) -> None:
    """Other weights, or another graph, are another model."""
    first = read_ir(model).sha256
    weights = model.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[::-1])
    second = read_ir(model).sha256
    model.write_bytes(model.read_bytes() + b"\n")

    assert len({first, second, read_ir(model).sha256}) == 3


def test_it_computes(model: Path, tmp_path: Path) -> None:
    """In the engine, as it is and out of the engine cache, and in a dry run."""
    notes = []
    for _ in range(2):
        engine = load(EngineRequest(model, CPU, cache_dir=tmp_path / "cache"))
        session = engine.session()
        assert (session.infer({"x": X})["y"] == 3.0).all()
        notes.append(engine.spec.notes)
        session.close()
        engine.close()

    assert notes == [("kept in the engine cache",), ("taken from the engine cache",)]
    assert (dry_run(model, {"x": X})["y"] == 3.0).all()


def test_it_takes_pictures(model: Path) -> None:
    """Pictures are prepared in front of it as in front of an ONNX model."""
    image = ImageInput("x", 5, 4, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)
    engine = load(EngineRequest(model, CPU, image=image))
    session = engine.session()
    picture = np.zeros((1, 4, 5, 3), np.uint8)
    picture[..., 0] = 255  # blue
    found = session.infer({"x": picture})["y"][0]
    session.close()
    engine.close()

    np.testing.assert_allclose(found[:, 0, 0], [1.0, 1.0, 3.0])


def test_labels_of_model_zoos(model: Path) -> None:
    """Where a zoo names the classes, in `model_info`, they are read too."""
    text = model.read_text(encoding="utf-8")
    zoo = '<model_info><labels value="person traffic_light" /></model_info>'
    model.write_text(text.replace("<names value", "<nams value").replace("</framework>", f"</framework>{zoo}"))

    assert read_ir(model).metadata["names"] == '["person", "traffic light"]'


def _without_weights(path: Path) -> None:
    path.with_suffix(".bin").unlink()


def _weights_cut_short(path: Path) -> None:
    path.with_suffix(".bin").write_bytes(b"1")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:900])


def _another_xml(path: Path) -> None:
    path.write_text('<?xml version="1.0"?>\n<annotation/>\n')


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_without_weights, "its weights lie in doubled.bin, which is not beside it; copy both"),
        (_weights_cut_short, "no OpenVINO model, or a damaged one: "),
        (_cut_short, "no OpenVINO model, or a damaged one: "),
        (_another_xml, "no OpenVINO model description; an OpenVINO model is needed"),
        (_gone, "no such file; an OpenVINO model is needed"),
        (_a_folder, "cannot be read: Is a directory"),
    ],
)
def test_what_cannot_be_used(
    model: Path, damage: Callable[[Path], None], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each is refused by name, and OpenVINO's front ends print nothing."""
    damage(model)

    with pytest.raises(ModelFileError) as refused:
        read_ir(model)
    assert sentence in str(refused.value)
    assert str(refused.value).count("\n") == 0
    assert capfd.readouterr().err == ""
