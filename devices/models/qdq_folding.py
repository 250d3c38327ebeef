"""The float model as a quantiser needs it: constants folded, batch norms in their convolutions, a scale a channel."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnx.version_converter

from devices.engines.onnxruntime_engine import import_runtime, runtime_errors
from devices.errors import EngineUnavailable, ModelFileError
from devices.models.onnx_whole import read_whole

_FIRST_WITH_AXES = 13
"""The first operator set whose QuantizeLinear has a scale for every channel."""


def folded(path: Path) -> onnx.ModelProto:
    """Read a model and make it ready to be quantised; it computes the same.

    Raises:
        ModelFileError: it is no model, quantised already, or cannot be brought to operator set 13.
        EngineUnavailable: ONNX Runtime's quantiser is not installed.
    """
    proto = read_whole(path)
    if any(node.op_type in {"QuantizeLinear", "DequantizeLinear", "QLinearConv"} for node in proto.graph.node):
        raise ModelFileError(f"{path}: quantised already; give the float model it was made of")
    runtime = import_runtime()
    try:
        from onnxruntime import quantization  # noqa: PLC0415 - heavy, and only needed here
    except ImportError as error:
        raise EngineUnavailable(f"onnxruntime's quantiser cannot be imported: {error}") from error
    errors: tuple[type[Exception], ...] = (*runtime_errors(runtime), AttributeError, KeyError)
    with tempfile.TemporaryDirectory(prefix="sitewatch-") as name, _quiet():
        plain, ready = Path(name) / "plain.onnx", Path(name) / "folded.onnx"
        try:
            plain.write_bytes(_with_axes(proto).SerializeToString())
            quantization.quant_pre_process(plain, ready, skip_symbolic_shape=True)
        except errors as error:
            raise ModelFileError(f"{path}: cannot be made ready to be quantised: {error}") from error
        found = onnx.load(ready)
    onnx.helper.set_model_props(found, {pair.key: pair.value for pair in proto.metadata_props})
    name_nodes(found)
    return found


def _with_axes(proto: onnx.ModelProto) -> onnx.ModelProto:
    version = next((each.version for each in proto.opset_import if not each.domain), _FIRST_WITH_AXES)
    if version >= _FIRST_WITH_AXES:
        return proto
    return onnx.version_converter.convert_version(proto, _FIRST_WITH_AXES)


def name_nodes(proto: onnx.ModelProto) -> None:
    """A name of its own for every node: some exporters give none, or one twice, and nodes are told of by name."""
    given = {node.name for node in proto.graph.node}
    taken: set[str] = set()
    for number, node in enumerate(proto.graph.node):
        if not node.name or node.name in taken:
            node.name = next(name for name in _names(node.op_type, number) if name not in given | taken)
        taken.add(node.name)


def _names(operator: str, number: int) -> Iterator[str]:
    return (f"{operator}_{number}{'_' * more}" for more in itertools.count())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its advice to run what is just running goes to the root logger, and some to standard output."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(before)
