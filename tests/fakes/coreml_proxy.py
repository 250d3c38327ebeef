"""Stands for Apple's part of coremltools, its compiled `libcoremlpython`, so that all of its Python runs on any system.

What a model computes is a NumPy function that the test registers by the model's name.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Mac:
    """The machine behind the proxies.

    Attributes:
        answers: what models compute, by the text in their compiled form.
        devices: names of proxies of the devices that Core ML lists.
        plan: names of proxies of the devices that operations go to, by operator.
        opened: units asked for, one a loaded model.
        compiled: how often the compiler ran.
        compiler_s: how long it takes.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.devices = ["cpu", "gpu", "engine"]
        self.plan: dict[str, str] = {}
        self.opened: list[str] = []
        self.compiled = 0
        self.compiler_s = 0.0


def install(mac: Mac) -> Any:
    """The real coremltools, imported over proxies of this machine."""
    sys.modules["coremltools.libcoremlpython"] = _library(mac)
    coremltools = importlib.import_module("coremltools")
    devices = importlib.import_module("coremltools.models.compute_device")
    importlib.import_module("coremltools.models.compute_plan")
    for name in ("coremltools.models.utils", "coremltools.models._compiled_model"):
        importlib.import_module(name)._macos_version = lambda: (15, 0)
    mac.made = {
        "cpu": devices.MLCPUComputeDevice(_Cpu()),
        "gpu": devices.MLGPUComputeDevice(_Gpu()),
        "engine": devices.MLNeuralEngineComputeDevice(_Engine()),
    }
    return coremltools


class _Cpu:
    pass


class _Gpu:
    pass


class _Engine:
    def get_total_core_count(self) -> int:
        return 16


class _Plan:
    def __init__(self, mac: Mac, structure: Any) -> None:
        self._mac = mac
        self.model_structure = structure

    def get_compute_device_usage_for_mlprogram_operation(self, operation: Any) -> Any:
        place = self._mac.plan.get(operation.operator_name)
        if place is None:
            return None
        device = self._mac.made[place]
        plans = importlib.import_module("coremltools.models.compute_plan")
        return plans.MLComputePlanDeviceUsage(preferred_compute_device=device, supported_compute_devices=[device])


def _model_proxy(mac: Mac) -> type:
    class Model:
        """As `coremltools` calls it: positional, in this order."""

        def __init__(self, path: str, units: str, function: str | None, hints: dict[str, str], asset: object) -> None:
            assert asset is None
            assert function is None or isinstance(function, str)
            assert isinstance(hints, dict)
            name = (Path(path) / "name").read_text(encoding="utf-8")
            if name not in mac.answers:
                raise RuntimeError(f"Error compiling model: {name} is damaged")
            mac.opened.append(units)
            self._answer = mac.answers[name]

        def predict(self, data: dict[str, Any], state: object) -> dict[str, Any]:
            assert state is None
            return self._answer(data)

        @staticmethod
        def compileModel(path: str) -> str:  # noqa: N802 - the name of the real one
            mac.compiled += 1
            time.sleep(mac.compiler_s)
            folder = Path(tempfile.mkdtemp()) / "made.mlmodelc"
            folder.mkdir()
            (folder / "name").write_text(Path(path).stem, encoding="utf-8")
            return str(folder)

        @staticmethod
        def get_all_compute_devices() -> list[Any]:
            return [mac.made[name] for name in mac.devices]

        @staticmethod
        def get_compute_plan(_path: str, _units: str) -> Any:
            plans = importlib.import_module("coremltools.models.compute_plan")
            return plans.MLComputePlan(_Plan(mac, _structure(plans, mac)))

    return Model


def _library(mac: Mac) -> types.ModuleType:
    module = types.ModuleType("coremltools.libcoremlpython")
    module._MLModelProxy = _model_proxy(mac)
    module._MLComputePlanProxy = _Plan
    module._MLCPUComputeDeviceProxy, module._MLGPUComputeDeviceProxy = _Cpu, _Gpu
    module._MLNeuralEngineComputeDeviceProxy = _Engine
    module._MLModelAssetProxy = type("Asset", (), {})
    return module


def _structure(plans: Any, mac: Mac) -> Any:
    """A program whose operators are those of the plan, and a constant that goes nowhere."""
    operations = [
        plans.MLModelStructureProgramOperation(inputs={}, operator_name=name, outputs=[], blocks=[], __proxy__=None)
        for name in ("const", *mac.plan)
    ]
    block = plans.MLModelStructureProgramBlock(inputs=[], operations=operations, output_names=[])
    program = plans.MLModelStructureProgram({"main": plans.MLModelStructureProgramFunction(inputs=[], block=block)})
    return plans.MLModelStructure(neuralnetwork=None, program=program, pipeline=None)


def forget(folder: Path) -> None:
    """Damage a compiled model."""
    (folder / "name").write_text("nonsense", encoding="utf-8")
