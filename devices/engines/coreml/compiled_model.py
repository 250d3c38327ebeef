"""Compiles a Core ML model once, keeps what came of it, and loads it within a deadline.

The Neural Engine's compiler has been seen to take minutes, and for very large models never to end.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from devices.engines.coreml.library import CoreMlObject
from devices.engines.engine import BuildProgress, EngineRequest
from devices.engines.model_file import ModelFile
from devices.errors import DevicesError, EngineLoadError, EngineUnavailable

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """A loaded model.

    Attributes:
        model: the library's `CompiledMLModel`.
        folder: where its compiled form lies.
        note: whether it was taken from the engine cache.
    """

    model: CoreMlObject
    folder: Path
    note: str


def load_compiled(
    library: CoreMlObject, model: ModelFile, request: EngineRequest, units: CoreMlObject
) -> CompiledModel:
    """Load the model, compiled where it is not yet.

    Raises:
        EngineUnavailable: it takes longer than the request's deadline; macOS goes on by itself, so a later start may
            find it done.
        EngineLoadError: Core ML refuses it.
    """
    request.build.told(BuildProgress("Core ML compiles and loads the model"))
    return within(request.build.deadline_s, lambda: _loaded(library, model, request, units), request.accelerator.name)


def within(deadline_s: float, work: Callable[[], ResultT], what: str) -> ResultT:
    """The result of work on a thread of its own, which is left alone once it is late.

    Raises:
        EngineUnavailable: it is late.
    """
    result: _Result[ResultT] = _Result()
    thread = threading.Thread(target=lambda: result.run(work), name="coreml-load", daemon=True)
    thread.start()
    thread.join(deadline_s)
    if thread.is_alive():
        raise EngineUnavailable(
            f"coreml: {what} is still compiling the model after {deadline_s:g} s; macOS may have it at a later start"
        )
    return result.given()


class _Result(Generic[ResultT]):
    """What came of a thread's work."""

    def __init__(self) -> None:
        self._given: list[ResultT] = []
        self._error: DevicesError | OSError | None = None

    def run(self, work: Callable[[], ResultT]) -> None:
        try:
            self._given.append(work())
        except (DevicesError, OSError) as error:  # given on to the thread that waits
            self._error = error

    def given(self) -> ResultT:
        if isinstance(self._error, OSError):
            raise EngineLoadError(f"coreml: the model cannot be compiled: {self._error}") from self._error
        if self._error is not None:
            raise self._error
        return self._given[0]


def _loaded(library: CoreMlObject, model: ModelFile, request: EngineRequest, units: CoreMlObject) -> CompiledModel:
    if model.path.suffix == ".mlmodelc":
        return CompiledModel(_opened(library, model.path, units), model.path, "compiled beforehand")
    kept = _place(library, model, request)
    if kept is not None and kept.is_dir():
        try:
            return CompiledModel(_opened(library, kept, units), kept, "taken from the engine cache")
        except EngineLoadError:
            shutil.rmtree(kept, ignore_errors=True)  # damaged, or of another macOS: made anew
    return _compiled(library, model, kept, units)


def _compiled(library: CoreMlObject, model: ModelFile, kept: Path | None, units: CoreMlObject) -> CompiledModel:
    folder = Path(tempfile.mkdtemp(prefix="sitewatch-coreml-", dir=None if kept is None else kept.parent))
    fresh = folder / "model.mlmodelc"
    try:
        library.utils.compile_model(str(model.path), str(fresh))
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EngineLoadError(f"coreml refuses {model.path}: {error}") from error
    if kept is None:
        return CompiledModel(_opened(library, fresh, units), fresh, "")
    try:
        fresh.rename(kept)
    except OSError as error:
        if not kept.is_dir():  # else another agent was faster
            return CompiledModel(_opened(library, fresh, units), fresh, f"not kept in the engine cache: {error}")
    shutil.rmtree(folder, ignore_errors=True)
    return CompiledModel(_opened(library, kept, units), kept, "kept in the engine cache")


def _opened(library: CoreMlObject, folder: Path, units: CoreMlObject) -> CoreMlObject:
    try:
        return library.models.CompiledMLModel(str(folder), compute_units=units)
    except Exception as error:
        raise EngineLoadError(f"coreml cannot load {folder.name}: {error}") from error


def _place(library: CoreMlObject, model: ModelFile, request: EngineRequest) -> Path | None:
    """Where the compiled form is kept: one for every model, library and macOS; None where nothing can be kept."""
    if request.cache_dir is None:
        return None
    try:
        request.cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    facts = f"{model.sha256} {library.__version__} {platform.mac_ver()[0]}"
    return request.cache_dir / f"coreml-{hashlib.sha256(facts.encode()).hexdigest()[:32]}.mlmodelc"
