"""An ONNX graph beside the Core ML package made of it, both asked the same; for where coremltools is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from devices.engines.engine import EngineRequest, Tensors
from devices.engines.model_file import read_model
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.coreml_evaluation import EvaluatedPackage
from devices.models.coreml_lowering import identifier
from devices.models.coreml_package import PackageOrder, write_package
from devices.models.onnx_folded import folded_graph
from devices.models.onnx_running import OnnxRun

CPU = Accelerator(AcceleratorKind.CPU, "CPU")
WHOLE = PackageOrder(is_half=False)


def package_of(onnx: Path, order: PackageOrder = WHOLE) -> Path:
    """The package, beside the ONNX file."""
    path = onnx.with_suffix(".mlpackage")
    write_package(folded_graph(read_model(onnx), EngineRequest(onnx, CPU)), path, order)
    return path


def answers(
    onnx: Path, tensors: Mapping[str, npt.NDArray[Any]], order: PackageOrder = WHOLE
) -> tuple[Tensors, Tensors]:
    """What ONNX Runtime and the package give, by the graph's names."""
    right = OnnxRun(onnx, optimised=False).answer(tensors)
    package = EvaluatedPackage(package_of(onnx, order))
    given = package.infer({identifier(name): array for name, array in tensors.items()})
    return right, {name: given[identifier(name)] for name in right}
