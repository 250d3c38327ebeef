"""`sitewatch model convert --to coreml`, and the product on what it writes, over a stand-in for Apple's part of it.

The stand-in computes what the package says, in NumPy; everything else is real.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from fakes.coreml_proxy import Mac, install

MAC = Mac()
install(MAC)
# Pictures come as PIL's; where that is, tests/devices/engines/coreml hand over real ones.
sys.modules["PIL.Image"] = SimpleNamespace(fromarray=np.asarray)  # type: ignore[assignment]

import torch  # noqa: E402 - the stand-in comes first
from models.detecting import SQUARES, assert_finds, make_plan, open_detector, square_frame  # noqa: E402 - as above
from models.square_detectors import FAMILIES, build_detector  # noqa: E402 - as above
from models.torch_squares import WEIGHTS, TorchSquares  # noqa: E402 - as above

from agent.cli import main  # noqa: E402 - as above
from agent.models.convert import to_coreml as converter  # noqa: E402 - as above
from devices.engines.coreml.engine import UNITS_NOTE, load  # noqa: E402 - as above
from devices.engines.coreml.package import read_coreml_model  # noqa: E402 - as above
from devices.engines.engine import EngineRequest  # noqa: E402 - as above
from devices.errors import EngineUnavailable  # noqa: E402 - as above
from devices.inventory import Accelerator, AcceleratorKind  # noqa: E402 - as above
from devices.models.coreml_evaluation import EvaluatedPackage  # noqa: E402 - as above
from devices.models.coreml_package import write_package  # noqa: E402 - as above

ENGINE = Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Apple M2 Neural Engine")
# The small detectors add up more than float16 can tell apart; real ones do not.
WHOLE = ("--precision", "fp32")
GPU = Accelerator(AcceleratorKind.APPLE_GPU, "Apple M2 GPU")


@pytest.fixture(autouse=True)
def _mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every package computes what it says, wherever it lies when it is compiled."""
    MAC.answers, MAC.opened = {}, []
    write = converter.write_package

    def noted(proto: onnx.ModelProto, path: Path, order: Any) -> None:
        write(proto, path, order)
        evaluated = EvaluatedPackage(path)
        MAC.answers[path.stem] = lambda data: evaluated.infer({name: _array(each) for name, each in data.items()})

    monkeypatch.setattr(converter, "write_package", noted)


def _array(given: np.ndarray) -> np.ndarray:
    """What Core ML is handed: a picture in RGB, or a tensor."""
    return given[None, ..., ::-1] if given.ndim == 3 else given


def run(*arguments: str | Path) -> int:
    return main(["model", "convert", "--to", "coreml", *map(str, arguments)])


def converted(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*arguments, "--json") == 0
    said = capsys.readouterr()
    assert said.err == ""
    told: dict[str, Any] = json.loads(said.out)
    return told


@pytest.mark.parametrize("family", FAMILIES[:3])  # the others are tested with real models
def test_a_site_takes_the_result(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every family: asked twice, read as the same with its labels, and the product finds the squares on it."""
    source = build_detector(family, tmp_path / "squares.onnx", input_size=160)
    told = converted(capsys, source, *WHOLE)
    path = tmp_path / "squares.mlpackage"
    plan, original = make_plan(path), make_plan(source)

    assert told["written"] == [str(path)]
    assert [check["witness"].split(" (")[0] for check in told["checks"]] == [
        *["the package's operations, in NumPy"] * 2,
        *["Core ML"] * 2,
    ]
    assert (plan.family, plan.labels.texts) == (family, original.labels.texts)
    assert read_coreml_model(path).inputs[0].dtype == "uint8"
    assert read_coreml_model(path).precision == "fp32"
    with open_detector(plan, "coreml") as detector:
        assert_finds(detector.detect([square_frame()])[0], SQUARES, within_px=6.0)


def test_tensors_open_sizes_and_compute_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's own tensors; what is open is fixed as the product feeds it; and the engine keeps to the units."""
    source = build_detector("yolov8", tmp_path / "squares.onnx", input_size=160, batch="dynamic", dynamic_size=True)
    options = ("--tensors", "--input-size", "160x160", "--minimum-target", "iOS17", "--compute-units", "CPU_AND_NE")
    converted(capsys, source, *WHOLE, *options)
    file = read_coreml_model(tmp_path / "squares.mlpackage")
    MAC.opened.clear()
    load(EngineRequest(file.path, ENGINE)).close()

    assert (file.inputs[0].dtype, file.inputs[0].shape) == ("float32", (1, 3, 160, 160))
    assert file.metadata[UNITS_NOTE] == "CPU_AND_NE"
    assert MAC.opened == ["CPU_AND_NE"]
    with pytest.raises(
        EngineUnavailable, match=r"squares\.mlpackage was converted for CPU_AND_NE, not for CPU_AND_GPU"
    ):
        load(EngineRequest(file.path, GPU))
    with open_detector(make_plan(file.path), "coreml") as detector:
        assert_finds(detector.detect([square_frame()])[0], SQUARES, within_px=6.0)


def test_torchscript(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """PyTorch's own file, by way of ONNX, which is held against PyTorch first."""
    module = TorchSquares()
    module.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(module.eval(), torch.zeros(1, 3, 320, 320)).save(str(tmp_path / "squares.pt"))
    told = converted(capsys, tmp_path / "squares.pt", "--input", "images:1x3x320x320:float32:0..255")

    assert told["family"] == "yolox"
    assert told["notes"][0].startswith("PyTorch to ONNX: greatest relative difference ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["squares.mlpackage", "squares.pt"]


def test_what_core_ml_lacks_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Operators without a rule, in one line; nothing is written."""
    source = build_detector("yolov8", tmp_path / "squares.onnx", input_size=64)
    model = onnx.load(str(source))
    last = model.graph.node[-1].input[0]
    extra = [onnx.helper.make_node("QuantizeLinear", [last, "s", "z"], ["q"]),
             onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"])]  # fmt: skip
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1.0), "s"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.uint8(0), "z"))
    nodes = [*model.graph.node][:-1] + extra + [model.graph.node[-1]]
    nodes[-1].input[0] = "d"
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(source))

    assert run(source) == 65
    said = capsys.readouterr().err
    assert "QuantizeLinear (1), DequantizeLinear (1); give the model as it was before it was quantised" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "squares.mlpackage").exists()


def test_a_wrong_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is evaluated, not what was meant: another weight shows, and nothing is there."""
    source = build_detector("yolov8", tmp_path / "squares.onnx", input_size=64)

    def wrongly(proto: onnx.ModelProto, path: Path, order: Any) -> None:
        for tensor in proto.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                array = onnx.numpy_helper.to_array(tensor) * np.float32(1.5)
                tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        write_package(proto, path, order)
        MAC.answers[path.stem] = lambda data: EvaluatedPackage(path).infer(data)

    monkeypatch.setattr(converter, "write_package", wrongly)

    assert run(source) in (65, 78)
    assert not (tmp_path / "squares.mlpackage").exists()
