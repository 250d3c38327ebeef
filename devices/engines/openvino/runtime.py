"""OpenVINO itself: its module, imported only here, a core whose closing harms no thread, and what it raises."""

from __future__ import annotations

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeAlias

from devices.errors import EngineUnavailable

NAME = "openvino"

OvObject: TypeAlias = Any
"""The run-time's own object; its type exists only where the run-time is installed."""


def import_runtime() -> ModuleType:
    """OpenVINO with the parts that an engine needs.

    Raises:
        EngineUnavailable: it is not installed, or does not load.
    """
    # Importing OpenVINO reports to Intel over the network where this package is; without it there is a stub.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not importable
    try:
        import openvino  # noqa: PLC0415 - a run-time is imported in its factory only
        import openvino.frontend  # noqa: PLC0415 - as above
        import openvino.preprocess  # noqa: PLC0415 - as above
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"openvino cannot be imported: {error}") from error
    runtime: ModuleType = openvino
    return runtime


def make_core(runtime: ModuleType) -> OvObject:
    """A core with its CPU plug-in loaded, made on a thread that ends at once.

    The plug-in gives the thread that loads it an alternate signal stack, and puts back the one before when the last
    model of the core is freed: on whatever thread that is, in whatever order. A thread that lives on, as the main
    thread does, would then have freed memory for its signal stack, and Python's next signal would end the process.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="openvino-core") as maker:
        return maker.submit(_core, runtime).result()


def load_errors(runtime: ModuleType) -> tuple[type[Exception], ...]:
    """RuntimeError, and the front end's own, which have no common parent."""
    found = vars(runtime.frontend).values()
    own = (each for each in found if isinstance(each, type) and issubclass(each, Exception))
    return (RuntimeError, *own)


def sentence(error: Exception) -> str:
    """OpenVINO's messages begin with the lines of its own sources that threw; the rest is the message."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return " ".join(told or lines)


def _core(runtime: ModuleType) -> OvObject:
    core = runtime.Core()
    with contextlib.suppress(RuntimeError):  # an OpenVINO built without the plug-in
        core.get_versions("CPU")
    return core
