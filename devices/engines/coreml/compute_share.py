"""Where Core ML means to run each operation: asking for the Neural Engine does not promise that it is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from devices.engines.coreml.library import CoreMlObject

_NAMES = {
    "MLNeuralEngineComputeDevice": "the Neural Engine",
    "MLGPUComputeDevice": "the GPU",
    "MLCPUComputeDevice": "the processor",
}


def share_notes(library: CoreMlObject, compiled: Path, units: CoreMlObject) -> tuple[str, ...]:
    """A sentence on where the operations go, or none where this macOS does not tell (before 14.4)."""
    try:
        plan = library.models.compute_plan.MLComputePlan.load_from_path(str(compiled), units)
        counts = device_counts(plan)
    except Exception:  # noqa: BLE001 - what a report cannot tell must not keep the model from running
        return ()
    total = sum(counts.values())
    if not total:
        return ()
    shares = [f"{count / total:.0%} of {total} operations on {_NAMES.get(name, name)}" for name, count in
              counts.most_common()]  # fmt: skip
    return (", ".join(shares),)


def device_counts(plan: CoreMlObject) -> Counter[str]:
    """Operations by class of the device that Core ML prefers for them; constants go nowhere."""
    structure = plan.model_structure
    counts: Counter[str] = Counter()
    if structure.program is not None:
        for function in structure.program.functions.values():
            for operation in _operations(function.block):
                _count(counts, plan.get_compute_device_usage_for_mlprogram_operation(operation))
    elif structure.neuralnetwork is not None:
        for layer in structure.neuralnetwork.layers:
            _count(counts, plan.get_compute_device_usage_for_neuralnetwork_layer(layer))
    return counts


def _operations(block: CoreMlObject) -> Iterator[CoreMlObject]:
    for operation in block.operations:
        yield operation
        for inner in operation.blocks:
            yield from _operations(inner)


def _count(counts: Counter[str], usage: CoreMlObject) -> None:
    if usage is not None:
        counts[type(usage.preferred_compute_device).__name__] += 1
