"""From a PyTorch module to an ONNX graph, by the exporter that can.

PyTorch has two. The one over `torch.export` reads a module as the program it is: it refuses what it cannot express in
place of freezing it, and finds out which axes follow the batch. It is the default since PyTorch 2.9, but takes no
TorchScript, and writes opset 18 at the least (its way down to 17 gives up silently). The older one records one run,
takes TorchScript and writes older opsets; it is no longer developed. So modules go to the first, from opset 18 on,
and TorchScript, and older opsets, to the second.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import onnx

from devices.errors import EngineLoadError
from devices.models.torch_failures import reason
from devices.models.torch_library import TorchObject, import_torch, require_onnxscript, silence
from devices.models.torch_model import TorchModel

PROGRAM_OPSET = 18
BATCH = "batch"


@dataclass(frozen=True)
class GraphNames:
    """What the graph's ends are called, and which follow the batch.

    Attributes:
        inputs, outputs: names in order.
        batched: for each output, whether its first axis is the batch.
        is_batch_open: leave the batch open.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batched: tuple[bool, ...]
    is_batch_open: bool


def exporter(model: TorchModel, opset: int) -> str:
    """Which exporter this module goes to: "torch.export" or "TorchScript"."""
    return "TorchScript" if model.is_script or opset < PROGRAM_OPSET else "torch.export"


def export_graph(
    model: TorchModel, example: Sequence[npt.NDArray[Any]], names: GraphNames, opset: int
) -> onnx.ModelProto:
    """The module as an ONNX graph with its weights, and without what it tells of the files it was made from.

    Args:
        model: what to export.
        example: inputs that it takes; an open batch should not be 1 in them.
        names: of the graph's ends.
        opset: to write.

    Raises:
        EngineLoadError: it cannot be exported, with the operator or place; or not in this opset.
        EngineUnavailable: PyTorch or onnxscript is not installed.
    """
    way = exporter(model, opset)
    if way == "torch.export":
        require_onnxscript()
    try:
        with silence():
            proto = (_by_program if way == "torch.export" else _by_recording)(model, example, names, opset)
    except Exception as error:  # the exporters let through whatever a module's code raises
        raise EngineLoadError(f"{model.name} cannot be exported by {way}: {reason(error)}") from error
    found = next((each.version for each in proto.opset_import if each.domain in {"", "ai.onnx"}), 0)
    if found != opset:
        raise EngineLoadError(f"{model.name}: PyTorch writes opset {found} in place of the {opset} asked for")
    _forget_sources(proto.graph)
    return proto


def _by_program(
    model: TorchModel, example: Sequence[npt.NDArray[Any]], names: GraphNames, opset: int
) -> onnx.ModelProto:
    torch = import_torch()
    open_axis = {0: torch.export.Dim(BATCH)}
    program = torch.onnx.export(
        model.module,
        model.tensors(example),
        dynamo=True,
        verbose=False,
        opset_version=opset,
        input_names=list(names.inputs),
        output_names=list(names.outputs),
        dynamic_shapes=tuple(open_axis for _ in example) if names.is_batch_open else None,
    )
    proto: onnx.ModelProto = program.model_proto
    return proto


def _by_recording(
    model: TorchModel, example: Sequence[npt.NDArray[Any]], names: GraphNames, opset: int
) -> onnx.ModelProto:
    batched = [*names.inputs, *(name for name, follows in zip(names.outputs, names.batched, strict=True) if follows)]
    written = io.BytesIO()
    import_torch().onnx.export(
        model.module,
        model.tensors(example),
        written,
        dynamo=False,
        opset_version=opset,
        input_names=list(names.inputs),
        output_names=list(names.outputs),
        dynamic_axes={name: {0: BATCH} for name in batched} if names.is_batch_open else None,
    )
    return onnx.load_model_from_string(written.getvalue())


def _forget_sources(graph: onnx.GraphProto) -> None:
    """Take out stacks and paths of the machine that exported: they double a small model, and are nobody's business."""
    graph.doc_string = ""
    described: Iterable[TorchObject] = (*graph.input, *graph.output, *graph.value_info, *graph.initializer, *graph.node)
    for each in described:
        each.doc_string = ""
        del each.metadata_props[:]
    del graph.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_sources(attribute.g)
