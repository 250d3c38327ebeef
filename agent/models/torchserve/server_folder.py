"""The folder that TorchServe is started in: its configuration and its model store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ToolInputError
from agent.models.whole_results import Content, holds, write_results

STORE = "model-store"
CONFIG = "config.properties"
REQUIREMENTS = "requirements.txt"
# What the handler needs in the server's Python, and what TorchServe needs without saying so; beside PyTorch.
NEEDED = "numpy\nonnxruntime>=1.20\nopencv-python-headless>=4.8\npillow>=10\npyyaml\n"
MAX_REQUEST_BYTES = 10 * 2**20
HIGHEST_PORT = 65_535
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,2}")


@dataclass(frozen=True)
class Doors:
    """Where TorchServe listens, on this machine only.

    Attributes:
        port: for pictures over HTTP; management and metrics are on the next two.
        grpc_port: for pictures over gRPC; management is on the next.
        wants_token: whether every call must carry the key that the server writes at its start.
    """

    port: int = 8080
    grpc_port: int = 7070
    wants_token: bool = True


def write_server(folder: Path, name: str, archive: bytes, doors: Doors, *, replaces: bool) -> tuple[str, ...]:
    """Put archive, configuration and requirements into a folder, beside models that are there.

    Returns:
        What was written, below the folder.

    Raises:
        ToolInputError: something else is there under one of the names.
        OutputError: it cannot be written.
    """
    results: dict[str, Content] = {
        f"{STORE}/{name}.mar": archive,
        CONFIG: server_config(doors).encode(),
        REQUIREMENTS: NEEDED.encode(),
    }
    for path, content in results.items():
        there = folder / path
        if not replaces and there.exists() and not holds(there, content):
            raise ToolInputError(f"{there}: there is another already; --replace puts this one in its place")
    write_results(folder.absolute(), results)
    return tuple(results)


def server_config(doors: Doors) -> str:
    """The `config.properties`: loopback only, every archive of the store, nothing installed or fetched by itself.

    The store is named from the folder that the server is started in: TorchServe reads this file twice, in Java and in
    Python, and they do not agree on letters beyond ASCII.
    """
    address = "http://127.0.0.1:{}"
    values = {
        "inference_address": address.format(doors.port),
        "management_address": address.format(doors.port + 1),
        "metrics_address": address.format(doors.port + 2),
        "grpc_inference_address": "127.0.0.1",
        "grpc_inference_port": doors.grpc_port,
        "grpc_management_address": "127.0.0.1",
        "grpc_management_port": doors.grpc_port + 1,
        "disable_token_authorization": str(not doors.wants_token).lower(),
        "enable_model_api": "false",
        "install_py_dep_per_model": "false",
        "allowed_urls": "file://none",
        "max_request_size": MAX_REQUEST_BYTES,
        "model_store": STORE,
        "load_models": "all",
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def check_names(name: str, version: str, doors: Doors) -> None:
    """See that a name and a version are ones to TorchServe, and the ports are ports.

    Raises:
        ToolInputError: one is not.
    """
    if not _NAME.fullmatch(name):
        raise ToolInputError(f"--name: found {name!r}; allowed are letters, digits, and . _ - after the first")
    if not _VERSION.fullmatch(version):
        raise ToolInputError(f"--model-version: found {version!r}; allowed are numbers such as 1.0")
    http, grpc = range(doors.port, doors.port + 3), range(doors.grpc_port, doors.grpc_port + 2)
    if max(*http, *grpc) > HIGHEST_PORT or set(http) & set(grpc):
        raise ToolInputError(
            f"--port takes three ports from {doors.port}, --grpc-port two from {doors.grpc_port}; they must not meet, "
            f"nor go beyond {HIGHEST_PORT}"
        )
