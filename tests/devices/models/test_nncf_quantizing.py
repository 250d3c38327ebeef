"""Quantising by NNCF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from models.layered_squares import build_layered

from devices.engines.openvino.ir_file import read_ir
from devices.engines.openvino.runtime import import_runtime
from devices.models.nncf_quantizing import quantised_by_nncf
from devices.models.qdq_folding import folded

RNG = np.random.default_rng(1)


def test_into_openvino_s_own_format(tmp_path: Path) -> None:
    """The layers are rounded, but for those named; labels go along; the answer is nearly that of the float model."""
    proto = folded(build_layered(tmp_path / "squares.onnx"))
    inputs = [{"images": RNG.random((1, 3, 128, 128), np.float32)} for _ in range(4)]

    files = quantised_by_nncf(proto, inputs, ["narrow"], tmp_path)
    for ending, content in files.items():
        (tmp_path / f"int8{ending}").write_bytes(content)

    assert list(files) == [".xml", ".bin"]
    described = read_ir(tmp_path / "int8.xml")
    assert described.precision == "int8"
    core = import_runtime().Core()
    rounded = core.read_model(str(tmp_path / "int8.xml"))
    readers = {
        reader.get_node().get_friendly_name()
        for each in rounded.get_ops()
        if each.get_type_name() == "FakeQuantize"
        for reader in each.output(0).get_target_inputs()
    }
    assert readers
    assert not [name for name in readers if name.startswith("narrow")]
    image = inputs[0]["images"]
    exact, found = (
        core.compile_model(each, "CPU")([image])[0] for each in (core.read_model(proto.SerializeToString()), rounded)
    )
    assert np.abs(exact - found)[:, 4:].mean() < 0.01
