"""Simplifies ONNX graphs with onnxslim: constants folded, neighbours merged, what nothing reads left out.

Why onnxslim (0.1.98, MIT) and not onnxsim (0.8.1, Apache-2.0), measured 2026-11 on six detectors and on small graphs:
without ONNX Runtime's own optimisations both give bit for bit what the original gives, and end at the same nodes in
all but one model (DEIMv2: 1565 and 1429 of 3472, equally fast). onnxslim is one wheel of Python for every system and
Python from 3.8; onnxsim is compiled, its releases since 0.8 want Python 3.11, a crash in it ends the process (onnxsim
issue 426, macOS, open), and it writes a page of notes of its own into the model's metadata. onnxslim is slower (5 s
against 0.4 s for DEIMv2), and drops inputs that nothing reads: they are put back here.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

import onnx

from devices.engines.model_file import initialiser_names
from devices.errors import EngineLoadError, EngineUnavailable

PACKAGE = "onnxslim"
_QUANTISING = ("QuantizeLinear", "DequantizeLinear")


def simplify(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A simpler model that computes the same; `proto` stays as it is.

    What goes in and out keeps name, order, type and shape; operator set, metadata and producer stay. Weights that old
    exporters list among the inputs are inputs no more, and a model that is quantised stays so. Whether the answers are
    the same is for the caller to verify: `agent.models.optimize` does.

    Args:
        proto: the model with all its weights in it, as `devices.models.onnx_whole.read_whole` gives it.

    Raises:
        EngineUnavailable: onnxslim is not installed.
        EngineLoadError: it fails, gives no valid model, or changes what goes in or out.
    """
    found = _slimmed(proto)
    _restore_inputs(proto, found)
    _restore_notes(proto, found)
    if (lost := _lost(proto, found)) or (lost := _unquantised(proto, found)):
        raise EngineLoadError(f"{PACKAGE} changes {lost}")
    try:
        onnx.checker.check_model(found)
    except onnx.checker.ValidationError as error:
        raise EngineLoadError(f"{PACKAGE} gives no valid model: {_first_line(error)}") from error
    return found


def simplifier_version() -> str:
    """What simplifies, with its version, for reports.

    Raises:
        EngineUnavailable: onnxslim is not installed.
    """
    return f"{PACKAGE} {_library().__version__}"


def _slimmed(proto: onnx.ModelProto) -> onnx.ModelProto:
    library = _library()
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    quiet = logging.getLogger(PACKAGE)
    if not quiet.handlers:  # else it adds one that writes to standard error; what goes wrong, its exceptions tell
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
    try:
        found = library.slim(copy)
    except Exception as error:  # it raises everything from KeyError to its parsers' own
        raise EngineLoadError(f"{PACKAGE} cannot simplify the model: {_first_line(error)}") from error
    if not isinstance(found, onnx.ModelProto) or not found.graph.node:
        raise EngineLoadError(f"{PACKAGE} leaves nothing of the model")
    return found


def _library() -> ModuleType:
    try:
        return import_module(PACKAGE)
    except ImportError as error:
        raise EngineUnavailable(f"{PACKAGE} cannot be imported: {error}") from error


def _restore_inputs(proto: onnx.ModelProto, found: onnx.ModelProto) -> None:
    """The inputs as they were: whoever feeds the model gives those that nothing reads too."""
    kept = [value for value in proto.graph.input if value.name not in initialiser_names(proto.graph)]
    del found.graph.input[:]
    found.graph.input.extend(kept)


def _restore_notes(proto: onnx.ModelProto, found: onnx.ModelProto) -> None:
    """Who made the model, and what they noted: families and labels are read off it."""
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string"):
        setattr(found, field, getattr(proto, field))
    found.graph.name = proto.graph.name
    del found.metadata_props[:]
    found.metadata_props.extend(proto.metadata_props)
    # Of what lies between, what the exporter noted: the rest may be inferred anew any time, and takes room.
    left = {name for node in found.graph.node for name in node.output}
    del found.graph.value_info[:]
    found.graph.value_info.extend(value for value in proto.graph.value_info if value.name in left)


def _lost(proto: onnx.ModelProto, found: onnx.ModelProto) -> str:
    if _told(proto.graph.output) != _told(found.graph.output):
        return f"the outputs: {_named(proto.graph.output)} were, {_named(found.graph.output)} are left"
    before = {each.domain: each.version for each in proto.opset_import}
    after = {each.domain: each.version for each in found.opset_import}
    if before.get("") != after.get(""):
        return f"the operator set: from {before.get('')} to {after.get('')}"
    return ""


def _unquantised(proto: onnx.ModelProto, found: onnx.ModelProto) -> str:
    before, after = (Counter(node.op_type for node in each.graph.node) for each in (proto, found))
    for kind in _QUANTISING:
        if after[kind] < before[kind]:
            return f"the quantisation: of {before[kind]} {kind} it leaves {after[kind]}"
    return ""


def _told(values: Iterable[onnx.ValueInfoProto]) -> list[tuple[str, int]]:
    return [(value.name, value.type.tensor_type.elem_type) for value in values]


def _named(values: Iterable[onnx.ValueInfoProto]) -> str:
    return ", ".join(value.name for value in values) or "none"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
