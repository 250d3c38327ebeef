"""Which engines of this machine a tool runs a model on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.detect.engine_request import make_request
from agent.errors import ToolInputError
from agent.settings.models import ModelSettings
from devices.candidates import candidates
from devices.engines.any_model import only_runtime
from devices.engines.catalogue import EVERY_ENGINE
from devices.engines.engine import BuildProgress, BuildWatch, Engine
from devices.inventory import Accelerator, AcceleratorKind, Inventory
from devices.probes.cpu import cpu_limit
from devices.probes.root import this_machine

ALL = "all"
CPU = Accelerator(AcceleratorKind.CPU, "CPU")


@dataclass(frozen=True)
class EngineUse:
    """A run-time on an accelerator of this machine."""

    runtime: str
    accelerator: Accelerator = CPU

    @property
    def name(self) -> str:
        """For a person: "openvino on cpu", "tensorrt on nvidia_gpu 1"."""
        number = f" {self.accelerator.index}" if self.accelerator.index else ""
        return f"{self.runtime} on {self.accelerator.kind.value}{number}"


REFERENCE = EngineUse("onnxruntime")
"""What the others are compared with: the run-time of the format's own makers, on the processor."""


def engines_here(wanted: Sequence[str], inventory: Inventory, model: Path) -> tuple[EngineUse, ...]:
    """The engines asked for, in that order.

    Args:
        wanted: each a run-time ("openvino": on every accelerator it drives here), a run-time on a kind of
            accelerator ("openvino:cpu"), or "all" for everything that can be used here.
        inventory: of this machine; remote accelerators must be added to it.
        model: one in a run-time's own format runs on that only.

    Raises:
        ToolInputError: one is unknown, or cannot be used here, with the reason.
    """
    rows = [row for row in candidates(inventory) if row.runtime is not None]
    if only := only_runtime(model):
        rows = [row for row in rows if row.runtime == only]
    chosen: list[EngineUse] = []
    for word in wanted:
        runtime, _, kind = word.partition(":")
        _refuse_unknown(word, runtime, kind)
        named = [row for row in rows if word == ALL or (row.runtime == runtime and kind in ("", row.kind.value))]
        usable = [row for row in named if row.availability.usable]
        if not usable:
            reasons = "; ".join(dict.fromkeys(f"{row.name}: {row.availability.reason}" for row in named))
            raise ToolInputError(f"{word}: cannot run {model.name} on this machine: {reasons or 'it is not here'}")
        chosen += [EngineUse(row.runtime, row.accelerator) for row in usable if row.runtime and row.accelerator]
    return tuple(dict.fromkeys(chosen))


@contextmanager
def open_engine(
    plan: DetectionPlan,
    model: ModelSettings,
    use: EngineUse,
    *,
    threads: int | None = None,
    cache_dir: Path | None = None,
    building: Callable[[BuildProgress], None] = lambda _progress: None,
) -> Iterator[Engine]:
    """A model made ready, and closed at the end.

    Args:
        plan: how it is fed.
        model: precision, sessions and the rest that a site file says.
        use: where.
        threads: of one inference; None takes every processor this process may use.
        cache_dir: where compiled engines are kept, or None.
        building: is told how far a long build is.

    Raises:
        DevicesError: it cannot be loaded.
    """
    request = make_request(plan, model, use.accelerator, threads=threads or processors(), cache_dir=cache_dir)
    engine = EVERY_ENGINE[use.runtime].load(replace(request, build=BuildWatch(told=building)))
    try:
        yield engine
    finally:
        engine.close()


def processors() -> int:
    """Whole processors that this process may use."""
    return max(1, int(cpu_limit(this_machine(sys.executable))))


def _refuse_unknown(word: str, runtime: str, kind: str) -> None:
    if word != ALL and runtime not in EVERY_ENGINE:
        raise ToolInputError(f"no run-time is called {runtime!r}; it is one of {', '.join((ALL, *EVERY_ENGINE))}")
    kinds = [each.value for each in AcceleratorKind]
    if kind and kind not in kinds:
        raise ToolInputError(f"{word}: no accelerator is called {kind!r}; it is one of {', '.join(kinds)}")
