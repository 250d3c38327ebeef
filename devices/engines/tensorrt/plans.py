"""The plan of an engine: from the engine cache where it is whole, built in a child process otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from devices.engines import cache as engine_cache
from devices.engines.cache import EngineCache, EngineKey
from devices.engines.engine import EngineRequest
from devices.engines.tensorrt.build import Built
from devices.engines.tensorrt.loaded import LoadedEngine, PlanRefused
from devices.errors import EngineLoadError

Builder = Callable[["bytes | None", "bytes | None"], Built]
"""Builds with the timing and the calibration cache of earlier builds."""


@dataclass(frozen=True)
class PlanShelf:
    """Where plans and the caches of their builds are kept, or None; and under which key."""

    cache: EngineCache | None
    key: EngineKey

    @classmethod
    def of(cls, request: EngineRequest, key: EngineKey) -> PlanShelf:
        """Of a request."""
        return cls(EngineCache(request.cache_dir / key.runtime) if request.cache_dir else None, key)

    @property
    def timing(self) -> EngineKey:
        """The timings of every model's builds here: they depend on TensorRT and device only."""
        return replace(self.key, model_sha256="", precision="", inputs="", options="timing cache")

    @property
    def calibration(self) -> EngineKey:
        """The ranges TensorRT found for this model with this calibration set."""
        return replace(self.key, options=f"calibration cache {self.key.options}")

    def find(self, key: EngineKey) -> bytes | None:
        """What is kept under a key, or None."""
        return self.cache.find(key) if self.cache else None

    def keep(self, key: EngineKey, content: bytes | None) -> None:
        """Keep what makes later builds quicker; without it they still work."""
        if self.cache is not None and content is not None:
            with contextlib.suppress(OSError):
                self.cache.keep(key, content)


def load_plan(loaded: LoadedEngine, shelf: PlanShelf, build: Builder) -> tuple[str, ...]:
    """Load the kept plan, or build one and keep it; gives what a person should know.

    Raises:
        EngineLoadError: no engine can be built here, or TensorRT refuses the one it just built.
    """
    loading = _Loading(loaded, shelf, build)
    if shelf.cache is None:
        loading.fresh()
        return loading.notes()
    ready = shelf.cache.ready(shelf.key, loading.kept, loading.fresh)
    return (*loading.notes(), ready.note)


@dataclass
class _Loading:
    """One load, as the cache wants it: from a file, or anew."""

    loaded: LoadedEngine
    shelf: PlanShelf
    build: Builder
    refused: str | None = None
    built: Built | None = field(default=None, repr=False)

    def kept(self, content: bytes) -> LoadedEngine | None:
        """From a file of the cache; None where TensorRT does not take it."""
        try:
            self.loaded.load(content)
        except PlanRefused as refused:
            self.refused = str(refused)
            return None
        return self.loaded

    def fresh(self) -> engine_cache.Built[LoadedEngine]:
        """Built anew."""
        self.built = self.build(self.shelf.find(self.shelf.timing), self.shelf.find(self.shelf.calibration))
        try:
            self.loaded.load(self.built.plan)
        except PlanRefused as refused:
            raise EngineLoadError(f"tensorrt refuses the engine it has just built: {refused}") from refused
        self.shelf.keep(self.shelf.timing, self.built.timing)
        self.shelf.keep(self.shelf.calibration, self.built.calibration)
        return engine_cache.Built(self.loaded, self.built.plan, "\n".join(self.built.log))

    def notes(self) -> tuple[str, ...]:
        """Why a kept plan was not taken, and what the build tells."""
        refused = (f"the engine in the cache was refused ({self.refused})",) if self.refused else ()
        return (*refused, *(self.built.notes if self.built else ()))
