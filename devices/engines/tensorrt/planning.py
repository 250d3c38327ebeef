"""From a request to what is built for it: precision, shapes, where pictures are prepared, and the key it is kept by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from devices.engines.cache import EngineKey
from devices.engines.engine import EngineRequest, Precision, TensorSpec
from devices.engines.image_graph import PICTURES
from devices.engines.image_input import image_tensor
from devices.engines.model_file import ModelFile
from devices.engines.tensorrt.build import Built
from devices.engines.tensorrt.calibration import calibration_digest
from devices.engines.tensorrt.cuda_driver import CudaFacts
from devices.engines.tensorrt.network import network_graph, network_inputs, pictures_in_graph
from devices.engines.tensorrt.order import BuildOrder
from devices.engines.tensorrt.plans import PlanShelf
from devices.engines.tensorrt.precision import PrecisionPlan, plan_precision
from devices.engines.tensorrt.presets import auto_precision, preset_of
from devices.engines.tensorrt.profiles import profile_count, profile_shapes
from devices.engines.tensorrt.session import Ways
from devices.inventory import AcceleratorKind

NAME = "tensorrt"


@dataclass(frozen=True)
class EnginePlan:
    """What will be built, decided before anything is.

    Attributes:
        model, request, facts: what it was decided by.
        precision: how it computes.
        in_graph: whether the engine itself takes uint8 pictures.
        order: for the build process.
        calibration_digest: of the calibration set, where one is used.
    """

    model: ModelFile
    request: EngineRequest
    facts: CudaFacts
    precision: PrecisionPlan
    in_graph: bool
    order: BuildOrder
    calibration_digest: str | None

    @classmethod
    def of(
        cls, trt: ModuleType, model: ModelFile, request: EngineRequest, facts: CudaFacts, calibration: Path | None
    ) -> EnginePlan:
        """Of a request."""
        on_dla = request.accelerator.kind is AcceleratorKind.DLA
        usable = calibration if request.image is not None and len(model.inputs) == 1 else None
        wanted = request.precision
        if wanted is Precision.AUTO:
            wanted = auto_precision(request.accelerator, facts.compute_capability)
        precision = plan_precision(trt, wanted, model.precision, on_dla=on_dla, has_calibration=usable is not None)
        needs_set = precision.calibrate or precision.convert == "int8"
        in_graph = pictures_in_graph(trt, model, request, calibrate=precision.calibrate)
        order = _order(trt, model, request, precision, usable if needs_set else None, in_graph=in_graph)
        digest = calibration_digest(usable) if usable is not None and needs_set else None
        return cls(model, request, facts, precision, in_graph, order, digest)

    def build(self, build: Callable[..., Built], timing: bytes | None, calibration: bytes | None) -> Built:
        """Build it."""
        graph = network_graph(self.model, self.request, in_graph=self.in_graph)
        kept = calibration if self.precision.calibrate else None
        return build(graph, self.order, self.request.build, timing=timing, calibration=kept)

    def shelf(self, trt: ModuleType, inputs: tuple[TensorSpec, ...]) -> PlanShelf:
        """Where it is kept."""
        device = self.request.accelerator
        place = f"{device.kind.value} {device.index} {self.facts.name} sm{self.facts.compute_capability}"
        order = replace(self.order, calibration_set=None)  # where the set lies shapes nothing; its content does
        key = EngineKey(
            model_sha256=self.model.sha256,
            runtime=NAME,
            runtime_version=trt.__version__,
            accelerator=place,
            driver=" ".join(filter(None, (device.driver, f"CUDA {self.facts.driver}"))),
            precision=self.precision.precision.value,
            inputs=repr(inputs),
            options=repr((self.request.image, self.in_graph, order, self.calibration_digest)),
        )
        return PlanShelf.of(self.request, key)

    def ways(self) -> Ways:
        """How our tensors and the engine's belong together."""
        tensor = image_tensor(self.model, self.request)
        names = {spec.name: spec.name for spec in self.model.inputs}
        if tensor is not None and self.in_graph:
            names[tensor.spec.name] = PICTURES
        return Ways(names, None if self.in_graph else tensor)


def _order(
    trt: ModuleType,
    model: ModelFile,
    request: EngineRequest,
    precision: PrecisionPlan,
    calibration: Path | None,
    *,
    in_graph: bool,
) -> BuildOrder:
    preset = preset_of(request.accelerator)
    on_dla = request.accelerator.kind is AcceleratorKind.DLA
    return BuildOrder(
        device=0 if on_dla else request.accelerator.index,
        dla_core=request.accelerator.index if on_dla else None,
        is_strong=precision.is_strong,
        flags=precision.flags,
        cleared=precision.cleared,
        convert=precision.convert,
        calibrate=precision.calibrate,
        profiles=profile_shapes(network_inputs(model, request, in_graph=in_graph), preset.batch, on_dla=on_dla),
        profile_count=profile_count(trt, request.sessions),
        workspace_share=preset.workspace_share,
        workspace_limit_mib=preset.workspace_limit_mib,
        calibration_set=str(calibration) if calibration else None,
        image=image_tensor(model, request),
    )
