"""Which of ONNX Runtime's execution providers an accelerator needs, with which options.

Option names as in the shipped libraries of 1.31; ONNX Runtime does not complain of a misspelt one everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from devices.engines.engine import EngineRequest, Precision
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.image_input import image_tensor, model_inputs
from devices.engines.model_file import ModelFile, parse, serialised
from devices.engines.onnxruntime_quantised import for_processor
from devices.errors import EngineUnavailable
from devices.inventory import AcceleratorKind

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
TENSORRT_PROVIDER = "TensorrtExecutionProvider"
CORE_ML_PROVIDER = "CoreMLExecutionProvider"
_PROVIDERS = {
    AcceleratorKind.CPU: CPU_PROVIDER,
    AcceleratorKind.NVIDIA_GPU: CUDA_PROVIDER,
    AcceleratorKind.APPLE_GPU: CORE_ML_PROVIDER,
    AcceleratorKind.APPLE_NEURAL_ENGINE: CORE_ML_PROVIDER,
}
_UNITS = {AcceleratorKind.APPLE_GPU: "CPUAndGPU", AcceleratorKind.APPLE_NEURAL_ENGINE: "CPUAndNeuralEngine"}


@dataclass(frozen=True)
class ProviderUse:
    """One provider, made ready to be asked for.

    Attributes:
        name: that the session must list first.
        providers: every provider with its options, in the order asked for; those behind the first take what it leaves.
        graph: the model as it is given to ONNX Runtime.
        precision: fp32, fp16 or int8, of the computation.
    """

    name: str
    providers: tuple[tuple[str, Mapping[str, str]], ...]
    graph: bytes = field(repr=False)
    precision: str


def provider_use(model: ModelFile, request: EngineRequest) -> ProviderUse:
    """The provider of ONNX Runtime itself for the request's accelerator.

    Raises:
        EngineUnavailable: it has none for that family.
    """
    kind = request.accelerator.kind
    name = _PROVIDERS.get(kind)
    if name is None:
        kinds = ", ".join(each.value for each in _PROVIDERS)
        raise EngineUnavailable(f"onnxruntime drives {kinds} only, not {request.accelerator.name}")
    graph = prepared_graph(model, request)
    if name == CUDA_PROVIDER:
        return _chain(name, cuda_options(request), graph, model.precision)
    if name == CORE_ML_PROVIDER:
        keyed = with_cache_key(model.path, graph)
        return _chain(name, core_ml_options(request, keyed), keyed, model.precision)
    return ProviderUse(name, ((name, {}),), for_processor(model, graph), model.precision)


def tensorrt_use(model: ModelFile, request: EngineRequest) -> ProviderUse:
    """The TensorRT provider; what it leaves is CUDA's.

    Raises:
        EngineUnavailable: the accelerator is no NVIDIA GPU.
    """
    if request.accelerator.kind is not AcceleratorKind.NVIDIA_GPU:
        raise EngineUnavailable(f"onnxruntime_tensorrt drives NVIDIA GPUs only, not {request.accelerator.name}")
    return ProviderUse(
        TENSORRT_PROVIDER,
        (
            (TENSORRT_PROVIDER, tensorrt_options(model, request)),
            (CUDA_PROVIDER, cuda_options(request)),
            (CPU_PROVIDER, {}),
        ),
        prepared_graph(model, request, cast_first=True),
        "fp16" if _is_half(model, request) else model.precision,
    )


def cuda_options(request: EngineRequest) -> dict[str, str]:
    """TensorFloat-32 stays off unless half precision was asked for: it keeps ten bits, as float16 does."""
    is_half = request.precision is Precision.FP16
    return {"device_id": str(request.accelerator.index), "use_tf32": "1" if is_half else "0"}


def tensorrt_options(model: ModelFile, request: EngineRequest) -> dict[str, str]:
    """float16 unless float32 is asked for or the model is quantised; engines and timings kept in the cache folder."""
    options = {
        "device_id": str(request.accelerator.index),
        "trt_fp16_enable": _flag(on=_is_half(model, request)),
        "trt_int8_enable": _flag(on=model.precision == "int8"),
        **_profiles(model, request),
    }
    folder = _folder(request, "onnxruntime_tensorrt")
    if folder is None:
        return options
    return {
        **options,
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_engine_cache_prefix": f"{model.sha256[:16]}-{options['trt_fp16_enable']}",
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
    }


def core_ml_options(request: EngineRequest, graph: bytes) -> dict[str, str]:
    """MLProgram, units by accelerator, static shapes where the graph has them."""
    options = {
        "ModelFormat": "MLProgram",
        "MLComputeUnits": _UNITS[request.accelerator.kind],
        "RequireStaticInputShapes": _flag(on=_is_static(graph)),
        "AllowLowPrecisionAccumulationOnGPU": _flag(on=request.precision is Precision.FP16),
    }
    folder = _folder(request, "onnxruntime_coreml")
    return options if folder is None else {**options, "ModelCacheDirectory": folder}


def with_cache_key(path: Path, graph: bytes) -> bytes:
    """The graph, named by its own content, so that a changed model does not meet the old one's compiled form."""
    proto = parse(path, graph)
    onnx.helper.set_model_props(
        proto,
        {
            **{pair.key: pair.value for pair in proto.metadata_props},
            "COREML_CACHE_KEY": hashlib.sha256(graph).hexdigest()[:32],
        },
    )
    return serialised(path, proto)


def _chain(name: str, options: Mapping[str, str], graph: bytes, precision: str) -> ProviderUse:
    return ProviderUse(name, ((name, options), (CPU_PROVIDER, {})), graph, precision)


def _is_half(model: ModelFile, request: EngineRequest) -> bool:
    return model.precision != "int8" and request.precision in {Precision.AUTO, Precision.FP16}


def _profiles(model: ModelFile, request: EngineRequest) -> dict[str, str]:
    """One engine for every batch that comes, where only the batch is open; without it each new one builds again."""
    tensor = image_tensor(model, request)
    shapes = {spec.name: spec.shape for spec in model_inputs(model, request)}
    if tensor is not None:
        shapes[PICTURES] = tensor.pictures.shape
        del shapes[tensor.spec.name]
    rest = [axis for shape in shapes.values() for axis in shape[1:]]
    if None in rest or not any(shape[:1] == (None,) for shape in shapes.values()):
        return {}
    sizes = {"min": 1, "opt": request.largest_batch, "max": request.largest_batch}
    return {
        f"trt_profile_{which}_shapes": ",".join(
            f"{name}:{'x'.join(str(axis or batch) for axis in shape)}" for name, shape in shapes.items() if shape
        )
        for which, batch in sizes.items()
    }


def _is_static(graph: bytes) -> bool:
    proto = onnx.load_model_from_string(graph)
    axes = [axis for value in proto.graph.input for axis in value.type.tensor_type.shape.dim]
    return all(axis.dim_value > 0 for axis in axes)


def _folder(request: EngineRequest, name: str) -> str | None:
    """Where the provider may keep what it compiles; None where nothing can be kept, which costs time only."""
    if request.cache_dir is None:
        return None
    folder = request.cache_dir / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder)


def _flag(*, on: bool) -> str:
    return "1" if on else "0"
