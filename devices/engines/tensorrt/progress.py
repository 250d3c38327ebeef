"""TensorRT's own progress (from 10 on), told as a fraction of the phase that contains the others."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from devices.engines.tensorrt.logger import TrtObject

Told = Callable[[str, "float | None"], None]
"""Takes a step, for a person, and the fraction done."""


class Phases:
    """Phases that TensorRT has begun; only outermost ones are told, as inner ones come by the thousand."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._steps: dict[str, int] = {}

    def begin(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of so many steps begins."""
        if not parent:
            self._steps[name] = max(1, steps)
            self._told(name, 0.0)

    def step(self, name: str, step: int) -> None:
        """A step, counted from 0, is done."""
        if (steps := self._steps.get(name)) is not None:
            self._told(name, min(1.0, (step + 1) / steps))

    def end(self, name: str) -> None:
        """The phase is over."""
        if self._steps.pop(name, None) is not None:
            self._told(name, 1.0)


def make_monitor(trt: ModuleType, phases: Phases) -> TrtObject | None:
    """TensorRT's monitor over `phases`, or None before TensorRT 10; it must outlive the build."""
    if not hasattr(trt, "IProgressMonitor"):
        return None

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc,name-defined]  # its parent is known at run time only
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # pybind11 does not accept super() here

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            phases.begin(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            phases.step(phase_name, step)
            return True  # False would cancel; the deadline ends the process instead

        def phase_finish(self, phase_name: str) -> None:
            phases.end(phase_name)

    return Monitor()
