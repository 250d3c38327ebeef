"""Every run-time sitewatch can use, in order of preference: a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.engines import onnxruntime_engine, openvino_engine
from devices.engines.engine import Engine, EngineRequest
from devices.inventory import AcceleratorKind, RuntimeStatus
from devices.probes.root import Root
from devices.probes.runtimes import RuntimeQuestion, ask

EngineFactory = Callable[[EngineRequest], Engine]


@dataclass(frozen=True)
class Runtime:
    """One run-time.

    Attributes:
        load: makes a model ready on it.
        drives: the families of accelerator it can run on in this release.
        question: how a child process asks whether it is there.
    """

    load: EngineFactory
    drives: frozenset[AcceleratorKind]
    question: RuntimeQuestion


_CPU = frozenset({AcceleratorKind.CPU})

ENGINES: Mapping[str, Runtime] = {
    "openvino": Runtime(
        openvino_engine.load,
        _CPU,
        RuntimeQuestion(
            name="openvino",
            module="openvino",
            devices="openvino.Core().available_devices",
            package="sitewatch[intel]",
            without="openvino_telemetry",
        ),
    ),
    "onnxruntime": Runtime(
        onnxruntime_engine.load,
        _CPU,
        RuntimeQuestion(
            name="onnxruntime",
            module="onnxruntime",
            devices="onnxruntime.get_available_providers()",
            package="onnxruntime",
        ),
    ),
}


def availability(name: str, root: Root) -> RuntimeStatus:
    """Whether the run-time of this name can be used here, asked in a child process.

    Raises:
        KeyError: the catalogue has no such run-time.
    """
    return ask(ENGINES[name].question, root)
