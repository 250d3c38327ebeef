"""What to write into a site file so that the agent uses a model on a server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from agent.settings.models import ModelSettings

ADDRESSES = {"triton": "grpc://127.0.0.1:8001", "mlserver": "grpc://127.0.0.1:8081", "ovms": "grpc://127.0.0.1:9000"}
"""Where each server listens for gRPC unless told otherwise; OpenVINO Model Server as it is started here."""
_PLAIN = re.compile(r"[A-Za-z0-9/._][A-Za-z0-9/._-]*")


def site_snippet(model: ModelSettings, usual_name: str, name: str, server: str) -> str:
    """The `model` section, for a server on the same machine.

    Args:
        model: as a site file would have it, or a bundle.
        usual_name: under which the agent looks for it on a server.
        name: that it has there.
        server: triton, mlserver or ovms.
    """
    lines = [*_lines(model), f"  servers: [{ADDRESSES[server]}]"]
    if name != usual_name:
        lines.append(f"  remote_model: {_written(name)}")
    return "".join(f"{line}\n" for line in lines)


def _lines(model: ModelSettings) -> Iterator[str]:
    yield "model:"
    yield f"  path: {_written(str(model.path.absolute()))}"
    if model.labels is not None and not isinstance(model.labels, tuple):
        yield f"  labels: {_written(str(model.labels.absolute()))}"
    if model.family != "auto":
        yield f"  family: {model.family}"
    if model.input_size is not None:
        yield f"  input_size: {model.input_size}"
    yield "  engine: kserve  # only the servers; without this line whatever is fastest here"


def _written(text: str) -> str:
    """As YAML reads it back: JSON's quotes are YAML's."""
    is_number = re.fullmatch(r"[0-9._]+(e[0-9]+)?", text) is not None
    return text if _PLAIN.fullmatch(text) and not is_number else json.dumps(text, ensure_ascii=False)
