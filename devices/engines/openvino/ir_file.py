"""Reads what a model in OpenVINO's own format (IR) says of itself: an `.xml`, its weights in a `.bin` beside it.

The exporter's notes are where OpenVINO's converters leave an ONNX file's metadata: in `rt_info` under `framework`.
Model-zoo files name their classes under `model_info` instead: blanks between labels, underscores within.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

from devices.engines.engine import TensorSpec
from devices.engines.model_file import ModelFile
from devices.engines.openvino.runtime import OvObject, import_runtime, load_errors, sentence
from devices.errors import ModelFileError

SUFFIX = ".xml"
NOTES = "framework"
_MODEL_INFO, _LABELS = "model_info", "labels"
_NEEDED = "an OpenVINO model is needed: its .xml, with the .bin beside it"
_HEAD_BYTES = 4096


def is_ir(path: Path) -> bool:
    """Whether a path is an OpenVINO model by its name."""
    return path.suffix == SUFFIX


def weights_of(path: Path) -> Path:
    """Where the weights of an `.xml` lie."""
    return path.with_suffix(".bin")


def read_ir(path: Path) -> ModelFile:
    """What the model says of itself.

    Raises:
        ModelFileError: missing, no OpenVINO model, damaged, or without its weights.
        EngineUnavailable: OpenVINO is not installed.
    """
    digest = _digest(path)
    runtime = import_runtime()
    try:
        network = ir_network(runtime, path)
        inputs, outputs = (tuple(map(_spec, ports)) for ports in (network.inputs, network.outputs))
    except load_errors(runtime) as error:
        raise ModelFileError(f"{path}: no OpenVINO model, or a damaged one: {sentence(error)}") from error
    return ModelFile(path, inputs, outputs, _notes(network), digest, _precision(network))


def ir_network(runtime: ModuleType, path: Path) -> OvObject:
    """The network, through the front end by name: guessing would let every other front end print its complaints.

    Raises:
        RuntimeError, and the front end's errors: OpenVINO cannot read it.
    """
    frontend = runtime.frontend.FrontEndManager().load_by_framework("ir")
    return frontend.convert(frontend.load(str(path)))


def _digest(path: Path) -> str:
    """Of both files; what is plainly something else is refused here, in words."""
    digest, weights = hashlib.sha256(), weights_of(path)
    head = _add(digest, path)
    if b"<net" not in head:
        raise ModelFileError(f"{path}: no OpenVINO model description; {_NEEDED}")
    if not weights.is_file():
        raise ModelFileError(f"{path}: its weights lie in {weights.name}, which is not beside it; copy both")
    _add(digest, weights)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, file: Path) -> bytes:
    """The file to the digest; gives how it begins."""
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            digest.update(head)
            while block := stream.read(1 << 20):
                digest.update(block)
    except FileNotFoundError as error:
        raise ModelFileError(f"{file}: no such file; {_NEEDED}") from error
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read: {error.strerror}; {_NEEDED}") from error
    return head


def _spec(port: OvObject) -> TensorSpec:
    shape = port.get_partial_shape()
    axes = () if shape.rank.is_dynamic else tuple(None if axis.is_dynamic else axis.get_length() for axis in shape)
    return TensorSpec(port.get_any_name(), port.get_element_type().to_dtype().name, axes)


def _notes(network: OvObject) -> dict[str, str]:
    noted = _section(network, NOTES)
    labels = _section(network, _MODEL_INFO).get(_LABELS, "")
    if labels and "names" not in noted:
        noted["names"] = json.dumps([label.replace("_", " ") for label in labels.split()])
    return noted


def _section(network: OvObject, name: str) -> dict[str, str]:
    """A part of the notes; texts only."""
    noted = network.get_rt_info()
    found = noted[name] if name in noted and isinstance(noted[name], dict) else {}
    values = {key: getattr(value, "value", value) for key, value in found.items()}
    return {key: value for key, value in values.items() if isinstance(value, str)}


def _precision(network: OvObject) -> str:
    """fp32, fp16 or int8, of most weights; int8 wherever the model quantises."""
    sizes: Counter[str] = Counter()
    for operation in network.get_ops():
        if operation.get_type_name() == "FakeQuantize":
            return "int8"
        if operation.get_type_name() == "Constant":
            dtype = operation.get_element_type()
            sizes[dtype.get_type_name()] += operation.get_byte_size() // max(1, dtype.size)
    return "fp16" if sizes["f16"] > sizes["f32"] else "fp32"
