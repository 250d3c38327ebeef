"""What a model file says of itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes.engine import CPU, CPU_ENGINES
from fakes.tiny_onnx import FLOAT, HALF, doubled, model, two_inputs
from onnx import helper, numpy_helper

from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.model_file import read_model
from devices.errors import ModelFileError


def written(proto: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def weighted(kind: type[np.generic]) -> onnx.ModelProto:
    onnx_kind = {np.float32: FLOAT, np.float16: HALF}[kind]
    weights = numpy_helper.from_array(np.arange(6).reshape(2, 3).astype(kind), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return model([node], {"x": (onnx_kind, (1, 2))}, {"y": (onnx_kind, ("a", "b"))}, [weights])


def test_inputs_and_outputs(tmp_path: Path) -> None:
    """Names, dtypes and shapes come in the file's order, open axes as None."""
    read = read_model(two_inputs().write(tmp_path))

    assert read.inputs == (TensorSpec("images", "float32", (None, 3, 4, 5)), TensorSpec("sizes", "int64", (None, 2)))
    assert [spec.name for spec in read.outputs] == ["twice", "negative"]


def test_weights_are_no_inputs(tmp_path: Path) -> None:
    """What an old exporter lists among the inputs, but is a weight, is left out."""
    proto = weighted(np.float32)
    proto.graph.input.append(helper.make_tensor_value_info("w", FLOAT, (2, 3)))

    assert [spec.name for spec in read_model(written(proto, tmp_path)).inputs] == ["x"]


def test_open_output_shapes_are_inferred(tmp_path: Path) -> None:
    """Where the file leaves an output open and its shape follows from the graph, it is filled in."""
    assert read_model(written(weighted(np.float32), tmp_path)).outputs == (TensorSpec("y", "float32", (1, 3)),)


def test_metadata_and_digest(tmp_path: Path) -> None:
    """The exporter's pairs and the file's SHA-256 are told."""
    proto = doubled().proto
    proto.metadata_props.add(key="names", value="{0: 'person'}")
    path = written(proto, tmp_path)

    read = read_model(path)

    assert read.metadata == {"names": "{0: 'person'}"}
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_precision(tmp_path: Path) -> None:
    """It is that of most weights, or int8 where the graph quantises."""
    quantise = helper.make_node("QuantizeLinear", ["x", "s"], ["y"])
    scale = numpy_helper.from_array(np.float32(1), "s")
    shape = (1, 4)
    quantised = model([quantise], {"x": (FLOAT, shape)}, {"y": (onnx.TensorProto.UINT8, shape)}, [scale])

    found = [
        read_model(written(proto, tmp_path)).precision
        for proto in (weighted(np.float32), weighted(np.float16), quantised)
    ]

    assert found == ["fp32", "fp16", "int8"]


def with_weights_beside(folder: Path) -> Path:
    path = folder / "large.onnx"
    onnx.save(weighted(np.float32), path, save_as_external_data=True, location="large.bin", size_threshold=0)
    return path


@pytest.mark.parametrize("name", CPU_ENGINES)
def test_weights_beside_the_file(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose weights lie in a file of their own loads and computes, from any working directory."""
    path = with_weights_beside(tmp_path)
    monkeypatch.chdir("/")

    engine = ENGINES[name].load(EngineRequest(path, CPU))
    got = engine.session().infer({"x": np.array([[1, 2]], np.float32)})

    np.testing.assert_allclose(got["y"], [[6, 9, 12]])


def test_weights_beside_the_file_are_part_of_the_digest(tmp_path: Path) -> None:
    """Other weights beside the same graph are another model."""
    path = with_weights_beside(tmp_path)
    before = read_model(path).sha256
    (tmp_path / "large.bin").write_bytes(bytes(24))

    assert read_model(path).sha256 != before


def test_weights_that_were_not_copied_along(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    path = with_weights_beside(tmp_path)
    (tmp_path / "large.bin").unlink()

    with pytest.raises(ModelFileError, match=r"its weights lie in large\.bin, which is not beside it"):
        read_model(path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname"])
def test_weights_outside_the_models_folder(tmp_path: Path, location: str) -> None:
    """A model that names files elsewhere on the machine is refused."""
    path = with_weights_beside(tmp_path)
    proto = onnx.load(path, load_external_data=False)
    proto.graph.initializer[0].external_data[0].value = location
    path.write_bytes(proto.SerializeToString())

    with pytest.raises(ModelFileError, match="names weights outside its own folder"):
        read_model(path)
