"""What the engine asks of a server, whichever way it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from devices.engines.engine import Tensors, TensorSpec

DTYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
"""The protocol's names of NumPy's types."""
DATATYPES = {dtype: datatype for datatype, dtype in DTYPES.items()}
BINARY = "binary_tensor_data"
"""Extension by which tensors go as bytes over HTTP; without it, as numbers in JSON."""
SHARED_MEMORY = "system_shared_memory"


class ServerFailure(Exception):  # noqa: N818 - what happened, not yet an error of ours
    """A call that failed.

    Attributes:
        is_servers_fault: the server is unreachable, late, overloaded or lacks the model: another may do better.
    """

    def __init__(self, sentence: str, *, is_servers_fault: bool) -> None:
        super().__init__(sentence)
        self.is_servers_fault = is_servers_fault


@dataclass(frozen=True)
class ServerFacts:
    """What a server says of itself and of the model.

    Attributes:
        name, version: of the server.
        extensions: of the protocol, that it knows.
        inputs, outputs: of the model; empty where it does not tell.
    """

    name: str
    version: str
    extensions: frozenset[str]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class ModelOnServer:
    """Which model of a server is meant.

    Attributes:
        name: of the model there.
        version: "" lets the server choose.
    """

    name: str
    version: str = ""


@dataclass(frozen=True)
class SharedTensor:
    """A tensor that the server finds in shared memory.

    Attributes:
        region: under which the server knows the memory.
        byte_size: of the tensor.
        dtype: NumPy name.
        shape: of the tensor.
    """

    region: str
    byte_size: int
    dtype: str
    shape: tuple[int, ...]


Sent = Mapping[str, npt.NDArray[Any] | SharedTensor]


class Connection(Protocol):
    """One server. Any thread may call at any time; every call ends within the connection's deadline."""

    def facts(self) -> ServerFacts:
        """What the server says.

        Raises:
            ServerFailure: it did not answer, or lacks the model.
        """

    def is_ready(self) -> bool:
        """Whether server and model can be used now."""

    def infer(self, tensors: Sent, outputs: Sequence[str]) -> Tensors:
        """Run once; float16 stays float16.

        Raises:
            ServerFailure: it failed.
        """

    def share(self, region: str, key: str, byte_size: int) -> None:
        """Let the server map shared memory.

        Raises:
            ServerFailure: it cannot.
        """

    def unshare(self, region: str) -> None:
        """Let it go; a server that is gone has done so already."""

    def close(self) -> None:
        """Let go of the connection; may be called twice."""


def tensor_spec(name: str, datatype: str, shape: Sequence[int | str]) -> TensorSpec:
    """As the protocol has it: -1 is an open axis."""
    axes = tuple(int(axis) if int(axis) >= 0 else None for axis in shape)
    return TensorSpec(name, DTYPES.get(datatype, datatype.lower()), axes)


def datatype_of(dtype: str) -> str:
    """The protocol's name of a NumPy type; an unknown one is the server's to refuse."""
    return DATATYPES.get(dtype, dtype.upper())


def contiguous(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The clients take no views."""
    return np.ascontiguousarray(array)
