"""Asks the run-times that are installed here whether they take a model.

ONNX Runtime by loading it, OpenVINO by its devices' own answer for every operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devices.engines.engine import EngineRequest
from devices.engines.onnxruntime_engine import load as load_onnxruntime
from devices.engines.openvino.runtime import OvObject, import_runtime, load_errors, make_core, sentence
from devices.errors import DevicesError, EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.onnx_operator_tables import NPU
from devices.models.onnx_shapes import Shape

NPU_COMPILER = "npu_compiler"
_CPU = Accelerator(kind=AcceleratorKind.CPU, name="CPU")


@dataclass(frozen=True)
class Asked:
    """What a run-time said.

    Attributes:
        runtime: its name and version.
        device: where; "npu_compiler" for what Intel's compiler reads, whether there is an NPU here or not.
        takes: whether it runs the model.
        reason: in its own words, where it does not.
        left: operations that the device leaves to another, with how many of each.
    """

    runtime: str
    device: str
    takes: bool
    reason: str = ""
    left: Mapping[str, int] = field(default_factory=dict)


def ask_onnxruntime(path: Path) -> Asked | None:
    """Load the model on the processor; None where ONNX Runtime is not installed."""
    try:
        engine = load_onnxruntime(EngineRequest(path, _CPU))
    except EngineUnavailable:
        return None
    except DevicesError as error:
        reason = str(error).removeprefix(f"onnxruntime refuses {path}: ")
        return Asked("ONNX Runtime", "CPU", takes=False, reason=reason)
    version = engine.spec.runtime_version
    engine.close()
    return Asked(f"ONNX Runtime {version}", "CPU", takes=True)


def ask_openvino(path: Path, inputs: Mapping[str, Shape]) -> tuple[Asked, ...]:
    """Every device that OpenVINO lists here, and what Intel's NPU compiler reads; empty where it is not installed.

    Args:
        path: of the ONNX file.
        inputs: shapes to fix the inputs at, by name.
    """
    try:
        runtime = import_runtime()
    except EngineUnavailable:
        return ()
    name = f"OpenVINO {str(runtime.__version__).partition('-')[0]}"
    core = make_core(runtime)
    try:
        frontend = runtime.frontend.FrontEndManager().load_by_framework("onnx")
        network = frontend.convert(frontend.load(str(path)))
        network.reshape({each: runtime.PartialShape(list(shape)) for each, shape in inputs.items()})
    except load_errors(runtime) as error:
        return (Asked(name, "CPU", takes=False, reason=sentence(error)),)
    return (*(_device(name, core, network, device) for device in core.available_devices), _npu_compiler(name, network))


def _device(name: str, core: OvObject, network: OvObject, device: str) -> Asked:
    try:
        taken = core.query_model(network, device)
    except RuntimeError as error:
        return Asked(name, device, takes=False, reason=sentence(error))
    left = Counter(each.get_type_name() for each in network.get_ordered_ops() if each.get_friendly_name() not in taken)
    return Asked(name, device, takes=not left, left=dict(left))


def _npu_compiler(name: str, network: OvObject) -> Asked:
    """By the table of what it reads: the compiler itself comes with the driver of an NPU."""
    operations = network.get_ordered_ops()
    kinds = Counter(each.get_type_name() for each in operations)
    left = {kind: count for kind, count in kinds.items() if kind not in NPU.operators}
    is_open = any(port.get_partial_shape().is_dynamic for each in operations for port in each.outputs())
    reason = "a shape stays open inside, even with the inputs fixed" if is_open else ""
    return Asked(name, NPU_COMPILER, takes=not left and not is_open, reason=reason, left=left)
