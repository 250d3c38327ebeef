"""PyTorch's TorchScript as ONNX, checked as `sitewatch model export` checks it, on its way to another format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agent.errors import RefusedResultError
from agent.models.convert.conversion import Told
from agent.models.export.exported import ExportRequest
from agent.models.export.exporting import export
from agent.models.export.input_spec import InputSpec
from agent.models.export.torch_errors import told_as_export
from agent.stream.frame import BgrArray
from devices.models.torch_loading import load_script

OPSET = 17


def as_onnx(
    path: Path,
    inputs: Sequence[InputSpec],
    pictures: Mapping[str, BgrArray],
    folder: Path,
    rng: np.random.Generator,
    told: Told,
) -> tuple[Path, str]:
    """Write the ONNX model into the folder, under the file's own name.

    Args:
        path: of the TorchScript file.
        inputs: what it is fed, in order.
        pictures: real ones to compare on, by name.
        folder: takes the ONNX file.
        rng: draws noise to compare on.
        told: hears of every step.

    Returns:
        Where it lies, and how far it is from PyTorch, in a sentence.

    Raises:
        ToolInputError: the file cannot be used or exported.
        RefusedResultError: the graph differs from the module.
        ToolUnavailableError: PyTorch is not installed.
        OSError: it cannot be written.
    """
    told("loading PyTorch and the module")
    with told_as_export():
        module = load_script(path)
    request = ExportRequest(tuple(inputs), (), OPSET, is_batch_open=False, pictures=pictures)
    exported = export(module, request, rng, told)
    if exported.refusal:
        raise RefusedResultError(exported.refusal)
    model = folder / f"{path.stem}.onnx"
    model.write_bytes(exported.content)
    worst = max(exported.gaps, key=lambda gap: gap.relative)
    return model, f"PyTorch to ONNX: greatest relative difference {worst.relative:.1e} ({worst.output}, {worst.trial})"
