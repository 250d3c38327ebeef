"""Makes the engines ready: for one picture and for batches, on every device of the kind that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.app.detection import make_chooser
from agent.app.engine_choice import ENGINES_FOLDER, EngineChoice, EngineChooser
from agent.app.happened import Happened
from agent.app.machine import Machine
from agent.app.serve.plan import ServePlan
from agent.clock import Clock
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.engine_request import make_request
from agent.detect.model_detector import ModelDetector
from agent.detect.model_picture import find_picture
from agent.errors import ModelError
from agent.serve.asked import AskedDecoder
from agent.serve.batch_work import LaneDetector
from agent.serve.service import EngineWords
from agent.settings.models import ModelSettings
from devices.engines.any_model import read_any_model
from devices.engines.catalogue import EVERY_ENGINE
from devices.engines.engine import Engine
from devices.errors import DevicesError
from devices.inventory import Accelerator, AcceleratorKind


@dataclass(frozen=True, eq=False)
class Loaded:
    """One engine on one device.

    Attributes:
        plan: how it is fed and read.
        engine: made ready and verified.
    """

    plan: DetectionPlan
    engine: Engine

    @property
    def words(self) -> EngineWords:
        """What answers say of it."""
        spec = self.engine.spec
        return EngineWords(spec.runtime, spec.runtime_version, spec.accelerator.name)

    def model_detector(self, plan: DetectionPlan, clock: Clock, happened: Happened) -> ModelDetector:
        """A detector with a session of its own, read as `plan` says."""
        return ModelDetector(
            self.engine.session(),
            plan,
            runtime=self.engine.spec.runtime,
            clock=clock,
            happened=happened.detect,
            stages=happened.pipeline,
        )

    def for_lane(self, clock: Clock, happened: Happened) -> LaneDetector:
        """A detector for one session, and the decoder within."""
        decoder = AskedDecoder(self.plan)
        return LaneDetector(self.model_detector(replace(self.plan, decoder=decoder), clock, happened), decoder)


class Engines:
    """Every engine that serves, by device; closed together.

    Attributes:
        by_device: by the device's name, then by the most pictures that each takes at once.
    """

    def __init__(self, by_device: Mapping[str, Mapping[int, Loaded]], opened: Sequence[Engine]) -> None:
        """Those of `opened` are closed with them."""
        self.by_device = by_device
        self._opened = opened

    @property
    def batch(self) -> int:
        """Most pictures of one inference."""
        return max(next(iter(self.by_device.values())))

    @property
    def plan(self) -> DetectionPlan:
        """How the model is fed and read."""
        return next(iter(self.by_device.values()))[self.batch].plan

    @property
    def runtime(self) -> str:
        """Of the engine for batches; for people."""
        return next(iter(self.by_device.values()))[self.batch].engine.spec.runtime

    def close(self) -> None:
        """Let go of all."""
        for engine in self._opened:
            engine.close()


def most_at_once(model: ModelSettings) -> int:
    """Pictures of one inference: as asked for, but as the model says where it does.

    Raises:
        ModelError: the model cannot be read.
    """
    try:
        file = read_any_model(model.path)
    except DevicesError as error:
        raise ModelError(str(error)) from error
    return find_picture(file.inputs, file.metadata, model.input_size).batch or model.batch


class EngineMaker:
    """Makes them ready; may take minutes."""

    def __init__(
        self,
        plan: ServePlan,
        machine: Machine,
        clock: Clock,
        happened: Happened,
        building: Callable[[str], None],
        *,
        choosing: Callable[..., EngineChooser] = make_chooser,
    ) -> None:
        """Nothing is read yet.

        Args:
            plan: what will be served.
            machine: what there is to choose from.
            clock: times what is done.
            happened: is told.
            building: is told how far builds are.
            choosing: makes the chooser.
        """
        self._choosing = choosing
        self._plan = plan
        self._machine = machine
        self._clock = clock
        self._happened = happened
        self._building = building
        cores = int(machine.hardware().cpu_limit)
        model = plan.model
        self._threads = model.threads or max(1, cores // model.sessions)

    def make(self) -> Engines:
        """Read the model, choose, load, verify.

        Raises:
            ModelError: the model cannot be used.
            EngineUnavailable: no engine here can run it.
        """
        opened: list[Engine] = []
        try:
            whole, *single = self._plans()
            by_device = {device: {each.plan.batch: each} for device, each in self._loaded(whole, opened).items()}
            for plan in single:
                for device, each in self._loaded(plan, opened).items():
                    by_device.get(device, {}).setdefault(each.plan.batch, each)
        except BaseException:
            for engine in opened:
                engine.close()
            raise
        return Engines(by_device, opened)

    def _plans(self) -> tuple[DetectionPlan, ...]:
        """For batches; and for one picture, with a graph that takes no more and may be faster for it."""
        model = self._plan.model.model_copy(update={"batch": most_at_once(self._plan.model), "threads": self._threads})
        whole = plan_model(model.path, model, self._plan.detection)
        self._happened.detect.plan_made(whole.told())
        if whole.batch_fault:
            self._happened.detect.batch_refused(whole.model, whole.batch_fault)
        if whole.is_batch_fixed:
            return (whole,)
        single = model.model_copy(update={"batch": 1})
        return whole, plan_model(model.path, single, self._plan.detection)

    def _loaded(self, plan: DetectionPlan, opened: list[Engine]) -> dict[str, Loaded]:
        """The best engine, and the same run-time on the other devices of its kind; by the devices' names."""
        model = self._plan.model.model_copy(update={"threads": self._threads, "batch": plan.batch})
        began_s = self._clock.monotonic_s()
        choice = self._choosing(plan, model, self._machine, self._clock, self._plan.cache, self._building).choose()
        made = [choice.engine]
        opened.append(choice.engine)
        self._tell(plan, choice.engine, choice.chosen.reason, began_s)
        for accelerator in self._others(choice):
            try:
                engine = self._same_on(accelerator, plan, model, choice)
            except DevicesError as error:
                name = f"{choice.engine.spec.runtime} on {_name(accelerator)}"
                self._happened.detect.engine_fell_back(plan.model, name, str(error))
                continue
            opened.append(engine)
            made.append(engine)
            self._tell(plan, engine, "as on the first of its kind", began_s)
        return {
            _name(engine.spec.accelerator): self._verified(plan.as_loaded(engine.spec.inputs), engine)
            for engine in made
        }

    def _same_on(
        self, accelerator: Accelerator, plan: DetectionPlan, model: ModelSettings, choice: EngineChoice
    ) -> Engine:
        folder = None if self._plan.cache is None else self._plan.cache / ENGINES_FOLDER
        request = make_request(plan, model, accelerator, threads=self._threads, cache_dir=folder)
        return EVERY_ENGINE[str(choice.chosen.candidate.runtime)].load(request)

    def _others(self, choice: EngineChoice) -> list[Accelerator]:
        """Further devices of the kind that was chosen, as many as may be used; a server spreads its work itself."""
        chosen = choice.chosen.candidate.accelerator
        if chosen is None or chosen.kind in {AcceleratorKind.CPU, AcceleratorKind.REMOTE}:
            return []
        all_of_kind = [each for each in self._machine.inventory().accelerators if each.kind is chosen.kind]
        others = [each for each in all_of_kind if each.index != chosen.index]
        return others if self._plan.devices is None else others[: self._plan.devices - 1]

    def _verified(self, plan: DetectionPlan, engine: Engine) -> Loaded:
        """Once on an empty picture: it answers as the plan says."""
        loaded = Loaded(plan, engine)
        detector = loaded.model_detector(plan, self._clock, self._happened)
        try:
            detector.verify()
        finally:
            detector.close()
        return loaded

    def _tell(self, plan: DetectionPlan, engine: Engine, reason: str, began_s: float) -> None:
        spec = engine.spec
        why = "; ".join(filter(None, (f"batch {plan.batch}", reason, *spec.notes)))
        seconds = self._clock.monotonic_s() - began_s
        self._happened.detect.engine_loaded(
            plan.model, spec.runtime, spec.runtime_version, spec.accelerator.name, why, seconds
        )


def _name(accelerator: Accelerator) -> str:
    return f"{accelerator.kind.value} {accelerator.index}"
