"""PyTorch itself, imported when it is needed, and kept from printing."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any, TypeAlias

from devices.errors import EngineUnavailable

TorchObject: TypeAlias = Any
"""PyTorch's own object; its type exists only where PyTorch is installed."""


def import_torch() -> ModuleType:
    """PyTorch.

    Raises:
        EngineUnavailable: it is not there, or does not load.
    """
    return _imported("torch", "PyTorch")


def require_onnxscript() -> None:
    """See that what PyTorch writes ONNX with is there.

    Raises:
        EngineUnavailable: it is not there, or does not load.
    """
    _imported("onnxscript", "onnxscript")


def _imported(name: str, told: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"{told} cannot be imported: {error}") from error


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing that is logged, warned of or printed comes out; for the whole process, so on one thread at a time.

    The exporters print graphs and stacks, one of them from C++, to where the answer of a program belongs; what is wrong
    reaches us as an exception.
    """
    heard = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stderr(io.StringIO()), _nothing_on(1):
                yield
    finally:
        logging.disable(heard)


@contextlib.contextmanager
def _nothing_on(descriptor: int) -> Iterator[None]:
    kept, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C++ holds back would come out later
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(nowhere)
