"""Files that are no ONNX models, told apart."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest
from fakes.tiny_onnx import doubled

from devices.engines.model_file import read_model
from devices.errors import ModelFileError


def checkpoint() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/data.pkl", b"x")
    return buffer.getvalue()


CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "web page": (b"\n<!DOCTYPE html>\n<html><body>Not found</body></html>", "an HTML page"),
    "pickle": (pickle.dumps({"epoch": 1}), "a Python pickle"),
    "checkpoint": (checkpoint(), "a PyTorch checkpoint"),
    "zip": (b"PK\x03\x04" + bytes(40), "a zip archive"),
    "plan": (b"ftrt" + bytes(100), "a TensorRT plan"),
    "openvino": (b'<?xml version="1.0"?>\n<net name="m" version="11">', "an OpenVINO model description"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite model"),
    "ort": (b"\x1c\0\0\0ORTM" + bytes(40), "ONNX Runtime's own format"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer"),
    "safetensors": (b"\x40\0\0\0\0\0\0\0{" + b'"weight"' + bytes(9), "a safetensors file"),
    "text": (b"model: yolov8n\n", "a text file"),
    "junk": (bytes(range(255, 0, -1)) * 20, "no ONNX model"),
    "zeros": (bytes(1000), "no ONNX model"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_wrong_file_is_named(tmp_path: Path, kind: str) -> None:
    """The error names the file and says what it is."""
    content, sentence = CONTENTS[kind]
    path = tmp_path / "some.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelFileError) as caught:
        read_model(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)


def test_a_truncated_model(tmp_path: Path) -> None:
    """A model cut short is refused, wherever it was cut."""
    content = doubled().proto.SerializeToString()
    path = tmp_path / "cut.onnx"

    for length in (len(content) // 4, len(content) // 2, len(content) - 3):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"cut\.onnx: no ONNX model"):
            read_model(path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    """Nothing there and a folder are told apart."""
    with pytest.raises(ModelFileError, match="no such file"):
        read_model(tmp_path / "missing.onnx")
    with pytest.raises(ModelFileError, match="a folder, not a file"):
        read_model(tmp_path)
