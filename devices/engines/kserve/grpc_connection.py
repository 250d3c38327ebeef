"""A server over gRPC: one client, which all threads share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from devices.engines.engine import Tensors
from devices.engines.kserve.address import ServerAddress
from devices.engines.kserve.connection import (
    ModelOnServer,
    Sent,
    ServerFacts,
    ServerFailure,
    SharedTensor,
    contiguous,
    datatype_of,
    tensor_spec,
)
from devices.errors import EngineUnavailable

ClientObject: TypeAlias = Any
AnswerT = TypeVar("AnswerT")
_SERVERS_FAULT = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "NOT_FOUND", "UNAUTHENTICATED",
                  "PERMISSION_DENIED", "UNIMPLEMENTED")  # fmt: skip


class GrpcConnection:
    """One client of the `tritonclient` package; it connects when it is first used, and again by itself."""

    def __init__(self, address: ServerAddress, model: ModelOnServer, timeout_s: float) -> None:
        """Nothing is sent yet.

        Raises:
            EngineUnavailable: `tritonclient` is not installed.
        """
        try:
            import tritonclient.grpc as library  # noqa: PLC0415 - a client is imported in its factory only
        except ImportError as error:
            raise EngineUnavailable(
                f"kserve: {error}; the client comes with: pip install 'sitewatch[remote]'"
            ) from error
        self._library: ClientObject = library
        self._address = address
        self._model = model
        self._call = {"headers": address.headers, "client_timeout": timeout_s}
        self._client: ClientObject = library.InferenceServerClient(address.target, ssl=address.is_secure)

    def facts(self) -> ServerFacts:
        """What the server says."""
        server = self._asked(lambda: self._client.get_server_metadata(**self._call))
        model = self._asked(
            lambda: self._client.get_model_metadata(self._model.name, self._model.version, **self._call)
        )
        return ServerFacts(
            name=server.name,
            version=server.version,
            extensions=frozenset(server.extensions),
            inputs=tuple(tensor_spec(each.name, each.datatype, each.shape) for each in model.inputs),
            outputs=tuple(tensor_spec(each.name, each.datatype, each.shape) for each in model.outputs),
        )

    def is_ready(self) -> bool:
        """Whether server and model can be used now."""
        try:
            return bool(
                self._asked(lambda: self._client.is_server_ready(**self._call))
                and self._asked(
                    lambda: self._client.is_model_ready(self._model.name, self._model.version, **self._call)
                )
            )
        except ServerFailure:
            return False

    def infer(self, tensors: Sent, outputs: Sequence[str]) -> Tensors:
        """Run once."""
        inputs = [self._input(name, tensor) for name, tensor in tensors.items()]
        wanted = [self._library.InferRequestedOutput(name) for name in outputs]
        answer = self._asked(
            lambda: self._client.infer(
                self._model.name, inputs, model_version=self._model.version, outputs=wanted, **self._call
            )
        )
        return {name: _writeable(answer.as_numpy(name), name) for name in outputs}

    def share(self, region: str, key: str, byte_size: int) -> None:
        """Let the server map shared memory."""
        self._asked(lambda: self._client.register_system_shared_memory(region, key, byte_size, **self._call))

    def unshare(self, region: str) -> None:
        """Let it go."""
        try:
            self._asked(lambda: self._client.unregister_system_shared_memory(region, **self._call))
        except ServerFailure:
            return

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _input(self, name: str, tensor: Any) -> ClientObject:  # noqa: ANN401 - an array or what stands for one
        found = self._library.InferInput(name, list(tensor.shape), datatype_of(str(tensor.dtype)))
        if isinstance(tensor, SharedTensor):
            found.set_shared_memory(tensor.region, tensor.byte_size)
        else:
            found.set_data_from_numpy(contiguous(tensor))
        return found

    def _asked(self, call: Callable[[], AnswerT]) -> AnswerT:
        from tritonclient.utils import InferenceServerException  # noqa: PLC0415 - as in the constructor

        try:
            return call()
        except InferenceServerException as error:
            status = str(error.status() or "").removeprefix("StatusCode.")
            sentence = f"{self._address.text}: {error.message() or status}"
            raise ServerFailure(sentence, is_servers_fault=status in _SERVERS_FAULT) from error
        except ValueError as error:  # a closed channel
            raise ServerFailure(f"{self._address.text}: {error}", is_servers_fault=True) from error


def _writeable(array: Any, name: str) -> Any:  # noqa: ANN401 - a foreign package's array
    """A copy of the answer's bytes, which belong to the message."""
    if array is None:
        raise ServerFailure(f"the answer lacks the output {name}", is_servers_fault=False)
    return np.array(array)
