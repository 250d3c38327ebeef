"""ONNX Runtime's providers: what is asked for on which accelerator, and that nothing else runs in its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import onnxruntime
import pytest
from fakes.engine import CPU
from fakes.tiny_onnx import doubled, open_size, same_image, two_inputs

from devices.engines import onnxruntime_engine, onnxruntime_tensorrt
from devices.engines.engine import EngineRequest, ImageInput, Precision
from devices.engines.image_graph import PICTURES
from devices.engines.model_file import read_model
from devices.engines.onnxruntime_assignment import RECORD, assignment, missing_library, require_provider
from devices.engines.onnxruntime_providers import provider_use, tensorrt_use
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

CUDA, TENSORRT, CORE_ML = "CUDAExecutionProvider", "TensorrtExecutionProvider", "CoreMLExecutionProvider"
GPU = Accelerator(AcceleratorKind.NVIDIA_GPU, "NVIDIA T4", index=1)
APPLE_GPU = Accelerator(AcceleratorKind.APPLE_GPU, "Apple M2 GPU")
ENGINE = Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Apple M2 Neural Engine")
IMAGE = ImageInput("image", 8, 6, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)


def request(folder: Path, device: Accelerator, proto: onnx.ModelProto | None = None, **more: Any) -> EngineRequest:
    path = folder / "model.onnx"
    path.write_bytes((proto or doubled().proto).SerializeToString())
    return EngineRequest(path, device, **more)


def use(asked: EngineRequest) -> Any:
    return provider_use(read_model(asked.model), asked)


def test_cuda(tmp_path: Path) -> None:
    """The GPU of the accelerator's number, the processor behind it; ten-bit floats only where half is asked for."""
    asked = request(tmp_path, GPU)
    found = use(asked)

    assert found.providers == ((CUDA, {"device_id": "1", "use_tf32": "0"}), ("CPUExecutionProvider", {}))
    assert use(replace(asked, precision=Precision.FP16)).providers[0][1]["use_tf32"] == "1"


def test_core_ml(tmp_path: Path) -> None:
    """ML programs on the units of the accelerator, static where the graph is, kept under the model's own name."""
    asked = request(tmp_path, ENGINE, cache_dir=tmp_path / "cache")
    (name, options), _ = use(asked).providers

    assert name == CORE_ML
    assert options["ModelFormat"] == "MLProgram"
    assert options["MLComputeUnits"] == "CPUAndNeuralEngine"
    assert options["RequireStaticInputShapes"] == "1"
    assert Path(options["ModelCacheDirectory"]).is_dir()
    assert use(replace(asked, accelerator=APPLE_GPU)).providers[0][1]["MLComputeUnits"] == "CPUAndGPU"
    assert use(request(tmp_path, ENGINE, two_inputs().proto)).providers[0][1]["RequireStaticInputShapes"] == "0"


def test_core_mls_cache_knows_models_apart(tmp_path: Path) -> None:
    """Its key is of the graph's content: another model in the same file has another, the same model the same."""

    def key(proto: onnx.ModelProto) -> str:
        graph = onnx.load_model_from_string(use(request(tmp_path, ENGINE, proto)).graph)
        return {pair.key: pair.value for pair in graph.metadata_props}["COREML_CACHE_KEY"]

    assert key(doubled().proto) == key(doubled().proto)
    assert key(doubled().proto) != key(open_size().proto)
    assert key(doubled().proto).isalnum()


def test_tensorrt(tmp_path: Path) -> None:
    """CUDA and the processor stand behind it; engines and timings are kept; float16 unless float32 is asked for."""
    asked = request(tmp_path, GPU, cache_dir=tmp_path / "cache")
    found = tensorrt_use(read_model(asked.model), asked)
    options = found.providers[0][1]

    assert [name for name, _ in found.providers] == [TENSORRT, CUDA, "CPUExecutionProvider"]
    assert options["device_id"] == "1"
    assert (options["trt_fp16_enable"], found.precision) == ("1", "fp16")
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] != ""
    plain = replace(asked, precision=Precision.FP32, cache_dir=None)
    found = tensorrt_use(read_model(plain.model), plain)
    assert found.providers[0][1] == {"device_id": "1", "trt_fp16_enable": "0", "trt_int8_enable": "0"}
    assert found.precision == "fp32"


def test_tensorrts_profile(tmp_path: Path) -> None:
    """An open batch gets one engine for all of its sizes, under the name the graph has."""
    asked = request(tmp_path, GPU, same_image(), image=IMAGE, largest_batch=4)
    options = tensorrt_use(read_model(asked.model), asked).providers[0][1]

    assert options["trt_profile_min_shapes"] == f"{PICTURES}:1x6x8x3"
    assert options["trt_profile_opt_shapes"] == options["trt_profile_max_shapes"] == f"{PICTURES}:4x6x8x3"


def test_a_cache_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Nothing is kept then, and the model still runs."""
    (tmp_path / "file").write_bytes(b"")

    options = use(request(tmp_path, ENGINE, cache_dir=tmp_path / "file" / "cache")).providers[0][1]

    assert "ModelCacheDirectory" not in options


@pytest.mark.parametrize(
    ("load", "device", "provider"),
    [(onnxruntime_engine.load, GPU, CUDA), (onnxruntime_tensorrt.load, GPU, TENSORRT)],
)
def test_a_build_without_the_provider(
    tmp_path: Path, load: Any, device: Accelerator, provider: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A build that lacks the provider is refused by name, instead of running on the processor."""
    with pytest.raises(EngineUnavailable, match=f"this build has no {provider}, only .*CPUExecutionProvider"):
        load(request(tmp_path, device))

    assert capfd.readouterr() == ("", "")


def test_tensorrt_wants_a_gpu(tmp_path: Path) -> None:
    """On another accelerator the provider is not even looked for."""
    with pytest.raises(EngineUnavailable, match="drives NVIDIA GPUs only, not a processor of the tests"):
        onnxruntime_tensorrt.load(request(tmp_path, CPU))


class Part:
    """As `get_provider_graph_assignment_info` gives them."""

    def __init__(self, ep_name: str, *op_types: str) -> None:
        self.ep_name = ep_name
        self.op_types = op_types

    def get_nodes(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(op_type=each) for each in self.op_types]


def session(first: str, *parts: Part) -> Any:
    return SimpleNamespace(get_providers=lambda: [first], get_provider_graph_assignment_info=lambda: parts)


def test_a_session_that_fell_back() -> None:
    """Another provider first means another provider runs."""
    with pytest.raises(EngineUnavailable, match=f"{CUDA} was asked for, CPUExecutionProvider would run: its driver"):
        require_provider(onnxruntime, session("CPUExecutionProvider"), CUDA)


def test_a_provider_that_takes_nothing() -> None:
    """A provider that is listed first and given nothing does not count."""
    with pytest.raises(EngineUnavailable, match=f"{CORE_ML} takes nothing of this model"):
        require_provider(onnxruntime, session(CORE_ML, Part("CPUExecutionProvider", "Conv")), CORE_ML)


def test_a_share_is_told() -> None:
    """What runs elsewhere is told by operator; where all runs as asked, that is told."""
    parts = (Part(CORE_ML, "Conv", "Conv", "Mul"), Part("CPUExecutionProvider", "TopK", "Gather", "Gather"))

    assert require_provider(onnxruntime, session(CORE_ML, *parts), CORE_ML) == (
        f"3 of 6 operators on {CORE_ML}; elsewhere Gather 2, TopK 1",
    )
    assert require_provider(onnxruntime, session(CUDA, Part(CUDA, "Conv")), CUDA) == (f"all 1 operators on {CUDA}",)


def test_the_real_session_tells_its_shares() -> None:
    """The names that are read off it are ONNX Runtime's own."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry(*RECORD)
    graph = doubled().proto.SerializeToString()
    found = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    if hasattr(found, "get_provider_graph_assignment_info"):
        assert assignment(found) == {"CPUExecutionProvider": Counter(Mul=1, Add=1)}


def test_a_library_that_does_not_load(tmp_path: Path) -> None:
    """The loader's own words say what is missing; a build without the library has none to ask."""
    runtime: Any = SimpleNamespace(__file__=str(tmp_path / "__init__.py"))
    assert missing_library(runtime, CUDA) == ""

    (tmp_path / "capi").mkdir()
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").write_bytes(b"nonsense")

    assert "libonnxruntime_providers_cuda.so" in missing_library(runtime, CUDA)
