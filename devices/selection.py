"""Which engine runs the model: every usable candidate is measured, the fastest kept, every reason told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from devices.engines.catalogue import ENGINES, Runtime
from devices.engines.dry_run import blank_tensor
from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors
from devices.errors import DevicesError, EngineUnavailable, ModelFileError
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory
from devices.measurement import Measurement, Stopwatch, measure

AUTO = "auto"


@dataclass(frozen=True)
class Candidate:
    """One way to run a model on this machine, or why it is none.

    Attributes:
        runtime: name in the catalogue, or None where no run-time of this release drives the accelerator.
        kind: family of accelerator.
        accelerator: the device, or None where the machine has none of this family.
        availability: whether it can be tried.
    """

    runtime: str | None
    kind: AcceleratorKind
    accelerator: Accelerator | None
    availability: Availability

    @property
    def name(self) -> str:
        """For a person: "openvino on cpu", "intel_gpu"."""
        return f"{self.runtime} on {self.kind.value}" if self.runtime else self.kind.value


@dataclass(frozen=True)
class Verdict:
    """What became of one candidate.

    Attributes:
        candidate: which.
        runtime_version: where it was loaded.
        measurement: where it was measured.
        is_chosen: whether it runs now.
        reason: why, or why not, without the candidate's name.
    """

    candidate: Candidate
    runtime_version: str | None
    measurement: Measurement | None
    is_chosen: bool
    reason: str

    @property
    def sentence(self) -> str:
        """For a person: "openvino 2026.4.1 on cpu: 9.8 ms, chosen"."""
        if self.candidate.runtime and self.runtime_version:
            name = f"{self.candidate.runtime} {self.runtime_version} on {self.candidate.kind.value}"
            return f"{name}: {self.reason}"
        return f"{self.candidate.name}: {self.reason}"


@dataclass(frozen=True)
class Choice:
    """The engine that runs, and why.

    Attributes:
        engine: loaded and warmed up; the caller closes it.
        measurement: of the engine chosen.
        verdicts: one a candidate, in the candidates' order.
    """

    engine: Engine
    measurement: Measurement
    verdicts: tuple[Verdict, ...]


def candidates(
    inventory: Inventory, runtime: str = AUTO, engines: Mapping[str, Runtime] = ENGINES
) -> tuple[Candidate, ...]:
    """Every way to run a model here in order of preference, then the families left out, with reasons.

    Raises:
        EngineUnavailable: no run-time of this name exists.
    """
    if runtime != AUTO and runtime not in engines:
        raise EngineUnavailable(f"no run-time called {runtime!r}; it is {AUTO} or one of {', '.join(engines)}")
    statuses = {status.name: status.availability for status in inventory.runtimes}
    rows = [
        Candidate(name, accelerator.kind, accelerator, _availability(name, runtime, statuses))
        for name, each in engines.items()
        for accelerator in inventory.accelerators
        if accelerator.kind in each.drives
    ]
    driven = frozenset(kind for each in engines.values() for kind in each.drives)
    idle = [accelerator for accelerator in inventory.accelerators if accelerator.kind not in driven]
    rows += [Candidate(None, device.kind, device, _not_driven(device, driven)) for device in idle]
    rows += [
        Candidate(None, absence.kind, None, Availability(usable=False, reason=absence.reason))
        for absence in inventory.absent
    ]
    return tuple(rows)


def choose(
    candidates: Sequence[Candidate],
    request: Callable[[Accelerator], EngineRequest],
    stopwatch: Stopwatch,
    *,
    feed: Callable[[EngineSpec], Tensors] | None = None,
    inferences: int = 7,
    engines: Mapping[str, Runtime] = ENGINES,
) -> Choice:
    """Load every usable candidate, warm it up, measure it, keep the one with the least median time.

    Args:
        candidates: as `candidates` gives them.
        request: what to load on an accelerator.
        stopwatch: the clocks.
        feed: tensors to measure with; blank ones where None.
        inferences: how many are measured after one that warms up.
        engines: the catalogue.

    Raises:
        ModelFileError: the model's file is at fault, whatever the run-time.
        EngineUnavailable: no candidate could be loaded and run; the message has every reason.
    """

    def attempt(candidate: Candidate) -> _Trial:
        return _try(candidate, request, engines, lambda load: measure(load, stopwatch, feed or _blank, inferences))

    trials, best = _compare(candidates, attempt)
    if best is None or best.engine is None or best.measurement is None:
        raise EngineUnavailable("no engine can run this model: " + "; ".join(_why(trial) for trial in trials))
    return Choice(best.engine, best.measurement, tuple(_verdict(trial, best) for trial in trials))


@dataclass(frozen=True)
class _Trial:
    candidate: Candidate
    reason: str = ""
    engine: Engine | None = field(default=None, repr=False)
    version: str | None = None
    measurement: Measurement | None = None


def _compare(
    candidates: Sequence[Candidate], attempt: Callable[[Candidate], _Trial]
) -> tuple[list[_Trial], _Trial | None]:
    """Every candidate tried, and the fastest, which alone is still open."""
    trials: list[_Trial] = []
    best: _Trial | None = None
    try:
        for candidate in candidates:
            trials.append(attempt(candidate))
            best = _faster(best, trials[-1])
    except BaseException:
        if best is not None and best.engine is not None:
            best.engine.close()
        raise
    return trials, best


def _try(
    candidate: Candidate,
    request: Callable[[Accelerator], EngineRequest],
    engines: Mapping[str, Runtime],
    measured: Callable[[Callable[[], Engine]], tuple[Engine, Measurement]],
) -> _Trial:
    accelerator = candidate.accelerator
    if candidate.runtime is None or accelerator is None or not candidate.availability.usable:
        return _Trial(candidate, reason=candidate.availability.reason)
    load = engines[candidate.runtime].load
    try:
        engine, measurement = measured(lambda: load(request(accelerator)))
    except ModelFileError:
        raise
    except DevicesError as error:
        return _Trial(candidate, reason=str(error))
    return _Trial(candidate, engine=engine, version=engine.spec.runtime_version, measurement=measurement)


def _faster(best: _Trial | None, trial: _Trial) -> _Trial | None:
    """The faster of two, the other closed."""
    if trial.engine is None or trial.measurement is None:
        return best
    if best is None or best.engine is None or best.measurement is None:
        return trial
    if trial.measurement.median_s < best.measurement.median_s:
        best.engine.close()
        return trial
    trial.engine.close()
    return best


def _verdict(trial: _Trial, best: _Trial) -> Verdict:
    return Verdict(trial.candidate, trial.version, trial.measurement, trial is best, _outcome(trial, best))


def _outcome(trial: _Trial, best: _Trial) -> str:
    if trial.measurement is None or best.measurement is None:
        return trial.reason
    if trial is best:
        return f"{trial.measurement.text}, chosen"
    times = trial.measurement.median_s / best.measurement.median_s
    return f"{trial.measurement.text}, {times:.2f} times the chosen one's time"


def _why(trial: _Trial) -> str:
    return f"{trial.candidate.name}: {trial.reason}"


def _availability(name: str, wanted: str, statuses: Mapping[str, Availability]) -> Availability:
    if wanted not in (AUTO, name):
        return Availability(usable=False, reason=f"not asked for: the engine wanted is {wanted}")
    return statuses.get(name, Availability(usable=False, reason="the probe did not ask for it"))


def _not_driven(device: Accelerator, driven: frozenset[AcceleratorKind]) -> Availability:
    kinds = ", ".join(sorted(kind.value for kind in driven))
    return Availability(usable=False, reason=f"{device.name} is not driven by this release: only {kinds} is")


def _blank(spec: EngineSpec) -> Tensors:
    return {each.name: blank_tensor(each) for each in spec.inputs}
