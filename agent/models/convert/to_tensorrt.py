"""To a TensorRT plan: built by the product's own builder in a process of its own, written as a file."""

from __future__ import annotations

import json
from dataclasses import replace

from agent.models.convert.conversion import Made, Order, Source, Told, Witness
from devices.engines.engine import BuildProgress, BuildWatch, EngineRequest, EngineSpec, Precision, Tensors, TensorSpec
from devices.engines.host_pictures import Feed, picture_feed
from devices.engines.image_input import image_tensor
from devices.engines.tensorrt.engine import NVIDIA, Vendor
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.tensorrt_plan import built_plan

GPU = Accelerator(AcceleratorKind.NVIDIA_GPU, "NVIDIA GPU 0")
_BOUND = (
    "a plan runs on this TensorRT and this kind of GPU only; a site gives the ONNX model, of which "
    "`sitewatch build` makes an engine and keeps it"
)


def to_tensorrt(order: Order, source: Source, told: Told, *, vendor: Vendor = NVIDIA) -> Made:
    """Build; the plan takes the model's own tensors, as `trtexec` and Triton feed it.

    Raises:
        EngineUnavailable: driver, TensorRT or pycuda are not there.
        EngineLoadError: TensorRT refuses the model.
    """
    request = EngineRequest(
        source.file.path,
        GPU,
        precision=Precision.FP16 if order.is_half else Precision.FP32,
        batch=source.plan.engine_batch,
        build=BuildWatch(told=lambda progress: told(_step(progress))),
    )
    built = built_plan(request, vendor)
    spec = built.engine.spec
    feed = _feed(source, request)

    def ask(questions: tuple[Tensors, ...]) -> tuple[Tensors, ...]:
        session = built.engine.session()
        try:
            return tuple(session.infer(feed(question)) for question in questions)
        finally:
            session.close()

    facts = json.dumps(_facts(source, spec), indent=1).encode()
    return Made(
        results={order.out.name: built.content, f"{order.out.name}.json": facts},
        plan=source.plan,
        output_names={output.name: output.name for output in source.file.outputs},
        witnesses=(Witness(f"TensorRT {spec.runtime_version} on {spec.accelerator.name}", spec.precision, ask),),
        close=built.engine.close,
        notes=(*spec.notes, _BOUND),
    )


def _step(progress: BuildProgress) -> str:
    return progress.step if progress.fraction is None else f"{progress.step}, {progress.fraction:.0%}"


def _feed(source: Source, request: EngineRequest) -> Feed:
    tensor = image_tensor(source.file, replace(request, image=source.plan.image))
    return dict if tensor is None else picture_feed(tensor)


def _facts(source: Source, spec: EngineSpec) -> dict[str, object]:
    """What a plan does not say of itself."""
    return {
        "tensorrt": spec.runtime_version,
        "device": spec.accelerator.name,
        "precision": spec.precision,
        "onnx_sha256": spec.model_sha256,
        "inputs": [_tensor(each) for each in spec.inputs],
        "outputs": [_tensor(each) for each in spec.outputs],
        "metadata": dict(source.notes),
    }


def _tensor(spec: TensorSpec) -> dict[str, object]:
    return {"name": spec.name, "type": spec.dtype, "shape": list(spec.shape)}
