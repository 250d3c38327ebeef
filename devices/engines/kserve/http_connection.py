"""A server over HTTP: one client a thread, as a client that meets a second thread hangs for good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from devices.engines.engine import Tensors
from devices.engines.kserve.address import ServerAddress
from devices.engines.kserve.connection import (
    BINARY,
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
_MODELS_FAULT = ("400", "409", "413", "415", "422", "500")


class HttpConnection:
    """A client of the `tritonclient` package for every thread that calls."""

    def __init__(self, address: ServerAddress, model: ModelOnServer, timeout_s: float) -> None:
        """Nothing is sent yet.

        Raises:
            EngineUnavailable: `tritonclient` is not installed.
        """
        try:
            import tritonclient.http as library  # noqa: PLC0415 - a client is imported in its factory only
        except ImportError as error:
            raise EngineUnavailable(
                f"kserve: {error}; the client comes with: pip install 'sitewatch[remote]'"
            ) from error
        self._library: ClientObject = library
        self._address = address
        self._model = model
        self._timeout_s = timeout_s
        self._call = {"headers": address.headers}
        self._own = threading.local()
        self._opened: list[ClientObject] = []
        self._is_binary = False

    def facts(self) -> ServerFacts:
        """What the server says; how tensors travel follows from it."""
        server = self._asked(lambda client: client.get_server_metadata(**self._call))
        model = self._asked(
            lambda client: client.get_model_metadata(self._model.name, self._model.version, **self._call)
        )
        extensions = frozenset(server.get("extensions", ()))
        self._is_binary = BINARY in extensions
        return ServerFacts(
            name=str(server.get("name", "")),
            version=str(server.get("version", "")),
            extensions=extensions,
            inputs=_specs(model.get("inputs")),
            outputs=_specs(model.get("outputs")),
        )

    def is_ready(self) -> bool:
        """Whether server and model can be used now."""
        try:
            return bool(
                self._asked(lambda client: client.is_server_ready(**self._call))
                and self._asked(
                    lambda client: client.is_model_ready(self._model.name, self._model.version, **self._call)
                )
            )
        except ServerFailure:
            return False

    def infer(self, tensors: Sent, outputs: Sequence[str]) -> Tensors:
        """Run once."""
        inputs = [self._input(name, tensor) for name, tensor in tensors.items()]
        wanted = [self._library.InferRequestedOutput(name, binary_data=self._is_binary) for name in outputs]
        answer = self._asked(
            lambda client: client.infer(
                self._model.name, inputs, model_version=self._model.version, outputs=wanted, **self._call
            )
        )
        return {name: self._output(answer, name) for name in outputs}

    def share(self, region: str, key: str, byte_size: int) -> None:
        """Let the server map shared memory."""
        self._asked(lambda client: client.register_system_shared_memory(region, key, byte_size, **self._call))

    def unshare(self, region: str) -> None:
        """Let it go."""
        try:
            self._asked(lambda client: client.unregister_system_shared_memory(region, **self._call))
        except ServerFailure:
            return

    def close(self) -> None:
        """Let go of every thread's client."""
        while self._opened:
            self._opened.pop().close()
        self._own = threading.local()

    def _client(self) -> ClientObject:
        client = getattr(self._own, "client", None)
        if client is None:
            client = self._library.InferenceServerClient(
                self._address.target,
                ssl=self._address.is_secure,
                connection_timeout=self._timeout_s,
                network_timeout=self._timeout_s,
            )
            self._own.client = client
            self._opened.append(client)
        return client

    def _input(self, name: str, tensor: Any) -> ClientObject:  # noqa: ANN401 - an array or what stands for one
        found = self._library.InferInput(name, list(tensor.shape), datatype_of(str(tensor.dtype)))
        if isinstance(tensor, SharedTensor):
            found.set_shared_memory(tensor.region, tensor.byte_size)
        else:
            found.set_data_from_numpy(contiguous(tensor), binary_data=self._is_binary)
        return found

    def _output(self, answer: ClientObject, name: str) -> Any:  # noqa: ANN401 - a foreign package's array
        array = answer.as_numpy(name)
        if array is None:
            raise ServerFailure(f"{self._address.text}: the answer lacks the output {name}", is_servers_fault=False)
        return np.array(array)

    def _asked(self, call: Callable[[ClientObject], AnswerT]) -> AnswerT:
        from tritonclient.utils import InferenceServerException  # noqa: PLC0415 - as in the constructor

        try:
            return call(self._client())
        except InferenceServerException as error:
            is_servers_fault = str(error.status()) not in _MODELS_FAULT
            raise ServerFailure(
                f"{self._address.text}: {error.message()}", is_servers_fault=is_servers_fault
            ) from error
        except (OSError, EOFError) as error:
            raise ServerFailure(f"{self._address.text}: {error}", is_servers_fault=True) from error


def _specs(rows: Any) -> tuple[Any, ...]:  # noqa: ANN401 - JSON of a server
    return tuple(tensor_spec(str(row["name"]), str(row["datatype"]), row["shape"]) for row in rows or ())
