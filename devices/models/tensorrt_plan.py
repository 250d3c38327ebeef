"""TensorRT plans as files: built and loaded as the product's engine does it, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from devices.engines.engine import Engine, EngineRequest
from devices.engines.tensorrt.build import Built
from devices.engines.tensorrt.engine import NVIDIA, Vendor, load


@dataclass(frozen=True, eq=False)
class BuiltPlan:
    """A plan, and the engine that it was loaded into; the caller closes that.

    Attributes:
        content: the plan, as TensorRT serialises it and `trtexec --loadEngine` takes it.
        engine: of this plan.
    """

    content: bytes = field(repr=False)
    engine: Engine


def built_plan(request: EngineRequest, vendor: Vendor = NVIDIA) -> BuiltPlan:
    """Build anew, whatever the engine cache holds.

    Args:
        request: without an image the plan takes the model's own tensors.
        vendor: NVIDIA's software.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: driver, TensorRT or pycuda are not there.
        EngineLoadError: TensorRT refuses the model.
    """
    made: list[Built] = []

    def build(*what: Any, **more: Any) -> Built:  # noqa: ANN401 - handed on as it comes
        made.append(vendor.build(*what, **more))
        return made[-1]

    engine = load(replace(request, cache_dir=None), replace(vendor, build=build))
    return BuiltPlan(made[-1].plan, engine)
