"""Compiles a model for its place, or takes the compiled one from the engine cache."""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from devices.engines.cache import Built, EngineCache, EngineKey
from devices.engines.engine import EngineRequest
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import ModelFile
from devices.engines.openvino.network import make_network
from devices.engines.openvino.places import Place
from devices.engines.openvino.runtime import NAME, OvObject, load_errors, sentence
from devices.engines.openvino.settings import compile_settings
from devices.errors import EngineLoadError


@dataclass(frozen=True, eq=False)
class Compiling:
    """One model on the way to one place.

    Attributes:
        runtime: OpenVINO's module.
        core: what compiles.
        model: as read.
        request: fitted to the place.
        place: where it is to run.
    """

    runtime: ModuleType
    core: OvObject
    model: ModelFile
    request: EngineRequest
    place: Place

    def compiled(self) -> tuple[OvObject, tuple[str, ...]]:
        """The compiled model, and what to tell of the cache.

        Raises:
            EngineLoadError: OpenVINO refuses the model.
        """
        settings = compile_settings(self.core, self.place, self.request)
        folder = self.request.cache_dir
        if folder is None:
            return self._compile(settings), ()
        if not self._can_be_kept():
            return self._compile(settings), (f"compiled at every start: {self.place.name} cannot give it out to keep",)
        ready = EngineCache(folder / NAME).ready(
            self._key(settings), lambda content: self._import(content, settings), lambda: self._build(settings)
        )
        return ready.loaded, (ready.note,)

    def _compile(self, settings: dict[str, Any]) -> OvObject:
        try:
            network = make_network(self.runtime, self.model, self.request)
            return self.core.compile_model(network, self.place.name, settings)
        except load_errors(self.runtime) as error:
            raise EngineLoadError(f"{NAME} refuses {self.model.path}: {sentence(error)}") from error

    def _build(self, settings: dict[str, Any]) -> Built[OvObject]:
        fresh = self._compile(settings)
        try:
            exported = fresh.export_model()
        except RuntimeError as error:
            raise EngineLoadError(f"{NAME} cannot give out {self.model.path}: {sentence(error)}") from error
        # A stream since 2025, bytes before.
        return Built(fresh, exported if isinstance(exported, bytes) else bytes(exported.getvalue()))

    def _import(self, content: bytes, settings: dict[str, Any]) -> OvObject | None:
        try:
            return self.core.import_model(io.BytesIO(content), self.place.name, settings)
        except RuntimeError:
            return None  # whole, but not for this OpenVINO after all: compile again

    def _can_be_kept(self) -> bool:
        parts = (*self.place.devices, *filter(None, [self.place.mode]))
        return all("EXPORT_IMPORT" in self.core.get_property(part, "OPTIMIZATION_CAPABILITIES") for part in parts)

    def _key(self, settings: dict[str, Any]) -> EngineKey:
        device = self.request.accelerator
        return EngineKey(
            model_sha256=self.model.sha256,
            runtime=NAME,
            runtime_version=self.runtime.__version__,
            accelerator=" ".join((device.kind.value, device.name, *device.capability)),
            driver=device.driver,
            precision=self.request.precision.value,
            inputs=repr(engine_inputs(self.model, self.request)),
            options=repr((self.place.name, self.request.image, sorted(settings.items()))),
        )
