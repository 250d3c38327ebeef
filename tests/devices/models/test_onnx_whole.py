"""Models with weights beside them, too large, or not whole."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from models.small_graphs import graph, node, weights

from devices.errors import ModelFileError
from devices.models.onnx_whole import read_graph, read_whole, weight_files


def with_weights_beside(folder: Path, location: str = "weights.bin") -> Path:
    path = folder / "m.onnx"
    proto = graph([node("MatMul", "x w", "y")], {"x": (1, 64)}, ["y"], {"w": weights(64, 64)})
    onnx.save(proto, str(path), save_as_external_data=True, location=location, size_threshold=0)
    return path


def test_weights_beside_the_model_are_put_into_it(tmp_path: Path) -> None:
    """The whole is one piece that has the weights."""
    path = with_weights_beside(tmp_path)
    proto = read_whole(path)

    assert weight_files(path, read_graph(path)) == (tmp_path / "weights.bin",)
    assert (onnx.numpy_helper.to_array(proto.graph.initializer[0]) == weights(64, 64)).all()
    assert not any(tensor.external_data for tensor in proto.graph.initializer)


def test_weights_that_are_missing(tmp_path: Path) -> None:
    """They are named, and that both must be copied."""
    path = with_weights_beside(tmp_path)
    (tmp_path / "weights.bin").unlink()

    with pytest.raises(ModelFileError, match=r"its weights lie in weights\.bin, which is not beside it; copy both"):
        read_whole(path)


def test_weights_that_are_cut_short(tmp_path: Path) -> None:
    """Half of the weights is no model."""
    path = with_weights_beside(tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"\0" * 100)

    with pytest.raises(ModelFileError, match="its weights cannot be read"):
        read_whole(path)


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    """A model may not name files elsewhere."""
    path = with_weights_beside(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    proto.graph.initializer[0].external_data[0].value = "../secret"
    path.write_bytes(proto.SerializeToString())

    with pytest.raises(ModelFileError, match="outside its own folder"):
        read_whole(path)


def test_a_file_too_large_for_onnx(tmp_path: Path) -> None:
    """It is refused by its size, before it is read into memory."""
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        stream.truncate(3 * 2**30)

    with pytest.raises(ModelFileError, match=r"3\.2 GB; an ONNX file holds 2 GB at most"):
        read_graph(path)
