"""What MLServer and OpenVINO Model Server want beside the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import ToolInputError
from agent.models.triton.model_config import Batching, Serving
from agent.models.triton.served_model import OWN_NAME, ServedModel
from devices.engines.engine import TensorSpec
from devices.engines.kserve.connection import datatype_of

MLSERVER_MODULE = "onnx_model"
OVMS_FILE = "config.json"
LARGEST_CONFIG_BYTES = 10_000_000


def mlserver_settings(model: ServedModel, serving: Serving, version: str) -> bytes:
    """The `model-settings.json` of a model whose class lies beside it."""
    settings: dict[str, object] = {
        "name": serving.name,
        "implementation": f"{MLSERVER_MODULE}.OnnxModel",
        "inputs": _tensors(model.inputs),
        "outputs": _tensors(model.outputs),
        "parameters": {"uri": f"./{OWN_NAME}", "version": version, "extra": {"threads": serving.threads}},
        **_adaptive(model, serving.batching),
    }
    return f"{json.dumps(settings, indent=2)}\n".encode()


def ovms_config(path: Path, name: str, folder: Path, *, replaces: bool) -> bytes:
    """The server's `config.json` with this model among those it lists already.

    Args:
        path: of the file, there or not.
        name: of the model.
        folder: of its versions.
        replaces: whether a model of that name from elsewhere may be replaced.

    Raises:
        ToolInputError: what is there is no such file, or lists another model under that name.
    """
    config = _read_config(path)
    listed: list[Any] = config.setdefault("model_config_list", [])
    own = {"config": {"name": name, "base_path": str(folder)}}
    for index, entry in enumerate(listed):
        found = entry.get("config", {}) if isinstance(entry, dict) else {}
        if found.get("name") != name:
            continue
        if found.get("base_path") != str(folder) and not replaces:
            raise ToolInputError(f"{path}: lists another model as {name}; --name gives this one another, or --replace")
        listed[index] = {**entry, "config": {**found, **own["config"]}}
        break
    else:
        listed.append(own)
    return f"{json.dumps(config, indent=2)}\n".encode()


def _adaptive(model: ServedModel, batching: Batching) -> dict[str, object]:
    """MLServer batches only where a request may wait."""
    if not model.largest_batch or not batching.delay_us:
        return {}
    return {"max_batch_size": model.largest_batch, "max_batch_time": batching.delay_us / 1e6}


def _tensors(specs: Sequence[TensorSpec]) -> list[dict[str, object]]:
    return [
        {"name": spec.name, "datatype": datatype_of(spec.dtype), "shape": [-1 if a is None else a for a in spec.shape]}
        for spec in specs
    ]


def _read_config(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_CONFIG_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ToolInputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        config = json.loads(content)
    except ValueError as error:
        raise ToolInputError(f"{path}: no JSON: {error}; it is left as it is") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_config_list", []), list):
        raise ToolInputError(f"{path}: no configuration of OpenVINO Model Server; it is left as it is")
    return config
