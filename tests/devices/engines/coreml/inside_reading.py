"""What is read off real Core ML models, on any system."""

from __future__ import annotations

from pathlib import Path

import coremltools
import pytest
from fakes import tiny_coreml

from devices.engines.coreml.package import read_coreml_model
from devices.engines.engine import TensorSpec
from devices.errors import ModelFileError


def test_a_program(tmp_path: Path) -> None:
    """Inputs, outputs, the exporter's notes and the precision are read."""
    file = read_coreml_model(tiny_coreml.doubled(tmp_path))

    assert file.inputs == (TensorSpec("x", "float32", (1, 3, 4, 5)),)
    assert file.outputs == (TensorSpec("y", "float32", (1, 3, 4, 5)),)
    assert file.metadata["names"] == "{0: 'person'}"
    assert file.precision == "fp32"
    assert len(file.sha256) == 64


def test_half_precision(tmp_path: Path) -> None:
    """A program that computes in float16 says so."""
    assert read_coreml_model(tiny_coreml.doubled(tmp_path, half=True)).precision == "fp16"


def test_a_picture(tmp_path: Path) -> None:
    """An image input is told as the picture it takes."""
    file = read_coreml_model(tiny_coreml.seen(tmp_path, as_picture=True))

    assert file.inputs == (TensorSpec("image", "uint8", (1, 6, 8, 3)),)


def test_an_open_batch(tmp_path: Path) -> None:
    """A range of sizes is an open axis."""
    file = read_coreml_model(tiny_coreml.open_batch(tmp_path))

    assert file.inputs[0].shape == (None, 3, 6, 8)


def test_outputs_without_a_shape(tmp_path: Path) -> None:
    """Where the description leaves an output's shape out, the program tells it."""
    path = tiny_coreml.doubled(tmp_path)
    spec = coremltools.utils.load_spec(str(path))
    del spec.description.output[0].type.multiArrayType.shape[:]
    bare = tmp_path / "bare.mlmodel"
    bare.write_bytes(spec.SerializeToString())

    assert read_coreml_model(bare).outputs == (TensorSpec("y", "float32", (1, 3, 4, 5)),)


def test_a_changed_weight_is_another_model(tmp_path: Path) -> None:
    """The digest covers every file of the package."""
    path = tiny_coreml.doubled(tmp_path)
    before = read_coreml_model(path).sha256
    (path / "Data" / "com.apple.CoreML" / "more").write_bytes(b"1")

    assert read_coreml_model(path).sha256 != before


def test_a_compiled_model(tmp_path: Path) -> None:
    """A compiled model is read by its description; without one it is refused with what to give instead."""
    path = tiny_coreml.compiled(tmp_path)
    file = read_coreml_model(path)

    assert file.inputs == (TensorSpec("image", "uint8", (1, 6, 8, 3)),)
    assert file.outputs == (TensorSpec("y", "float32", (1, 3, 4, 5)),)
    (path / "metadata.json").unlink()
    with pytest.raises(ModelFileError, match=r"no metadata\.json in it.*give the \.mlpackage"):
        read_coreml_model(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("model.onnx", b"", "no Core ML model: it ends in none of .mlpackage"),
        ("model.mlmodel", b"junk" * 9, "no Core ML model, or a damaged one"),
        ("model.mlmodel", b"", "no Core ML model, or a damaged one|without inputs or outputs"),
        ("gone.mlpackage", None, "no such file"),
    ],
)
def test_what_is_no_model(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    """Each is refused by name."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelFileError, match=sentence):
        read_coreml_model(path)


def test_an_empty_package(tmp_path: Path) -> None:
    """A folder that only looks like a package is refused."""
    (tmp_path / "model.mlpackage").mkdir()

    with pytest.raises(ModelFileError, match="no Core ML model, or a damaged one"):
        read_coreml_model(tmp_path / "model.mlpackage")
