"""What is asked of an export, and what came out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.models.export.comparing import Gap
from agent.models.export.input_spec import InputSpec
from agent.stream.frame import BgrArray
from devices.engines.engine import TensorSpec


@dataclass(frozen=True)
class ExportRequest:
    """What is asked for.

    Attributes:
        inputs: in the order in which the module takes them.
        outputs: names; empty for the module's own, or `output`.
        opset: of ONNX.
        is_batch_open: leave the first axis of every input open.
        tolerance: greatest relative difference (see `Gap`) that is allowed; None for the usual one.
        pictures: real ones for trials: uint8 (height, width, 3) BGR, by name.
    """

    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    opset: int
    is_batch_open: bool
    tolerance: float | None = None
    pictures: Mapping[str, BgrArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exported:
    """What came out.

    Attributes:
        content: the ONNX file, weights in it.
        module: name of its class.
        parameters: how many numbers it has learnt.
        way: the exporter: "torch.export" or "TorchScript".
        opset: of ONNX.
        nodes: operators in the graph.
        inputs, outputs: as the file declares them.
        trials: how many were compared.
        batches: of which sizes.
        gaps: for each output.
        tolerance: what was allowed.
        versions: of what was compared, by name.
    """

    content: bytes = field(repr=False)
    module: str
    parameters: int
    way: str
    opset: int
    nodes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    trials: int
    batches: tuple[int, ...]
    gaps: tuple[Gap, ...]
    tolerance: float
    versions: Mapping[str, str]

    @property
    def refusal(self) -> str:
        """Why it must not be used; or empty."""
        worst = max(self.gaps, key=lambda each: each.relative)
        if worst.relative <= self.tolerance:
            return ""
        if worst.fault:
            return f"output {worst.output} of the graph {worst.fault} ({worst.trial}); nothing was written"
        return (
            f"output {worst.output} of the graph differs from PyTorch's by {worst.relative:.1e} ({worst.trial}), "
            f"allowed is {self.tolerance:g}; nothing was written"
        )
