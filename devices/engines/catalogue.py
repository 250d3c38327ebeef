"""Every run-time sitewatch can use, in order of preference: a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devices.engines import onnxruntime_engine, onnxruntime_plugins, onnxruntime_tensorrt
from devices.engines.coreml import engine as coreml_engine
from devices.engines.engine import Engine, EngineRequest
from devices.engines.kserve import engine as kserve_engine
from devices.engines.onnxruntime_providers import CORE_ML_PROVIDER, CPU_PROVIDER, CUDA_PROVIDER, TENSORRT_PROVIDER
from devices.engines.openvino import engine as openvino_engine
from devices.engines.tensorrt import engine as tensorrt_engine
from devices.engines.tensorrt.question import QUESTION as TENSORRT
from devices.engines.worker.foreign import load_myriad, load_tensorrt
from devices.engines.worker.loading import if_isolated
from devices.inventory import AcceleratorKind, Availability, RuntimeStatus
from devices.probes.root import Root
from devices.probes.runtimes import NOT_USABLE, RuntimeQuestion, ask

EngineFactory = Callable[[EngineRequest], Engine]


@dataclass(frozen=True)
class Runtime:
    """One run-time.

    Attributes:
        load: makes a model ready on it.
        drives: the families of accelerator it can run on in this release, each with how the name of a device begins
            that it must list for it; "" where it lists none.
        question: how a child process asks whether it is there.
    """

    load: EngineFactory
    drives: Mapping[AcceleratorKind, str]
    question: RuntimeQuestion


_CPU = {AcceleratorKind.CPU: "CPU"}

ONNXRUNTIME = RuntimeQuestion(
    name="onnxruntime",
    module="onnxruntime",
    devices="onnxruntime.get_available_providers()",
    package="onnxruntime",
    distributions=("onnxruntime", "onnxruntime-gpu"),
)
_ON_MACOS = (
    "if sys.platform != 'darwin':\n"
    f"    sys.stderr.write('Core ML is a part of macOS, and this is another system'); sys.exit({NOT_USABLE})\n"
)
_WITH_VERSION = (
    "if importlib.util.find_spec('tritonclient'):\n"
    "    import importlib.metadata, tritonclient\n"
    "    tritonclient.__version__ = importlib.metadata.version('tritonclient')  # it does not tell by itself\n"
)
ENGINES: Mapping[str, Runtime] = {
    "tensorrt": Runtime(
        if_isolated("tensorrt", tensorrt_engine.load),
        {AcceleratorKind.NVIDIA_GPU: "GPU", AcceleratorKind.DLA: "DLA"},
        TENSORRT,
    ),
    "coreml": Runtime(
        if_isolated("coreml", coreml_engine.load),
        {kind: device for kind, (_, device) in coreml_engine.UNITS.items() if kind is not AcceleratorKind.CPU},
        RuntimeQuestion(
            name="coreml",
            module="coremltools",
            devices="__import__('devices.engines.coreml.engine', fromlist='listed').listed(coremltools)",
            package="sitewatch[apple]",
            distributions=("coremltools",),
            gate=_ON_MACOS,
        ),
    ),
    "openvino": Runtime(
        if_isolated("openvino", openvino_engine.load),
        {**_CPU, AcceleratorKind.INTEL_GPU: "GPU", AcceleratorKind.INTEL_NPU: "NPU"},
        RuntimeQuestion(
            name="openvino",
            module="openvino",
            devices="openvino.Core().available_devices",
            package="sitewatch[intel]",
            without="openvino_telemetry",
            distributions=("openvino",),
        ),
    ),
    "onnxruntime": Runtime(
        if_isolated("onnxruntime", onnxruntime_engine.load),
        {
            AcceleratorKind.CPU: CPU_PROVIDER,
            AcceleratorKind.NVIDIA_GPU: CUDA_PROVIDER,
            AcceleratorKind.APPLE_GPU: CORE_ML_PROVIDER,
            AcceleratorKind.APPLE_NEURAL_ENGINE: CORE_ML_PROVIDER,
        },
        ONNXRUNTIME,
    ),
    "onnxruntime_tensorrt": Runtime(
        if_isolated("onnxruntime_tensorrt", onnxruntime_tensorrt.load),
        {AcceleratorKind.NVIDIA_GPU: TENSORRT_PROVIDER},
        replace(ONNXRUNTIME, name="onnxruntime_tensorrt", package="onnxruntime-gpu"),
    ),
    "onnxruntime_plugin": Runtime(
        if_isolated("onnxruntime_plugin", onnxruntime_plugins.load),
        {kind: kind.value for kind in onnxruntime_plugins.KINDS.values()},
        replace(
            ONNXRUNTIME,
            name="onnxruntime_plugin",
            devices="__import__('devices.engines.onnxruntime_plugins', fromlist='listed').listed(onnxruntime)",
            package="onnxruntime-ep-openvino",
        ),
    ),
    "kserve": Runtime(
        kserve_engine.load,
        {AcceleratorKind.REMOTE: ""},
        RuntimeQuestion(
            name="kserve",
            module="tritonclient",
            devices="[each for each in ('grpc', 'http') if importlib.util.find_spec(f'tritonclient.{each}')]",
            package="sitewatch[remote]",
            distributions=("tritonclient",),
            gate=_WITH_VERSION,
        ),
    ),
}


def availability(name: str, root: Root) -> RuntimeStatus:
    """Whether the run-time of this name can be used here, asked in a child process.

    Raises:
        KeyError: the catalogue has no such run-time.
    """
    return ask(ENGINES[name].question, root)


FOREIGN_ENGINES: Mapping[str, Runtime] = {
    "myriad": Runtime(
        load_myriad,
        {AcceleratorKind.MYRIAD: "MYRIAD"},
        RuntimeQuestion(
            name="myriad",
            module="openvino.runtime",
            devices="openvino.runtime.Core().available_devices",
            package="openvino==2022.3.2",
            without="openvino_telemetry",
        ),
    ),
    "tensorrt_worker": Runtime(
        load_tensorrt,
        {AcceleratorKind.NVIDIA_GPU: "", AcceleratorKind.DLA: ""},
        RuntimeQuestion(
            name="tensorrt_worker",
            module="tensorrt",
            devices="[__import__('pycuda.driver', fromlist='driver').init() or 'CUDA']",
            package="tensorrt",
        ),
    ),
}
"""Those that only another Python can have, in an engine worker."""


EVERY_ENGINE: Mapping[str, Runtime] = {**ENGINES, **FOREIGN_ENGINES}
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {name: each.question.distributions for name, each in ENGINES.items()}


def foreign_availability(name: str, root: Root, interpreter: Path | None) -> RuntimeStatus:
    """Whether a run-time of `FOREIGN_ENGINES` can be used under this Python of its own, asked of that Python.

    Raises:
        KeyError: there is no such run-time.
    """
    question = FOREIGN_ENGINES[name].question
    if interpreter is None:
        reason = "needs a Python of its own: name it in model.worker_python"
        return RuntimeStatus(name, None, Availability(usable=False, reason=reason))
    return ask(question, replace(root, executable=str(interpreter)))
