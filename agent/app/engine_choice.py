"""Finds the engine that runs the model: the one kept from an earlier start, or the best of all after trying them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from agent.app.engine_exam import make_exam
from agent.app.machine import Machine
from agent.clock import Clock
from agent.detect.detection_plan import DetectionPlan
from agent.detect.engine_request import make_request
from agent.models.bundle.verifying import verify_bundled
from agent.settings.models import ModelSettings
from devices.candidates import Candidate, candidates
from devices.engines.any_model import only_runtime
from devices.engines.catalogue import DISTRIBUTIONS
from devices.engines.engine import Engine, EngineRequest
from devices.errors import DevicesError
from devices.inventory import Accelerator, AcceleratorKind
from devices.kept_choice import ChoiceShelf, KeptChoice, choice_key
from devices.selection import Policy, Verdict, choose, load_examined
from devices.trials.asking import ChildTrials
from devices.trials.exam import Exam
from devices.trials.trial import TryOut

ENGINES_FOLDER = "engines"


@dataclass(frozen=True, eq=False)
class EngineChoice:
    """The engine that runs, and why.

    Attributes:
        engine: loaded and examined; the caller closes it.
        verdicts: one a candidate.
        kept_since: when the candidates were tried, if that was at an earlier start.
        forgot: why the outcome of an earlier start was not used, or "".
    """

    engine: Engine
    verdicts: tuple[Verdict, ...]
    kept_since: datetime | None = None
    forgot: str = ""

    @property
    def chosen(self) -> Verdict:
        """The verdict on the engine that runs."""
        return next(verdict for verdict in self.verdicts if verdict.is_chosen)


class EngineChooser:
    """Chooses for one model on this machine; trials run in child processes."""

    def __init__(
        self,
        plan: DetectionPlan,
        model: ModelSettings,
        machine: Machine,
        clock: Clock,
        folder: Path | None,
        *,
        threads: int,
        watched: Callable[[EngineRequest], EngineRequest] = lambda request: request,
        try_out: TryOut | None = None,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            plan: how the model is fed.
            model: which engine is wanted, sessions.
            machine: what to choose from.
            clock: for the time of the choice.
            folder: where engines and choices are kept, or None to keep nothing.
            threads: of one inference.
            watched: puts into a request who is told of builds.
            try_out: tries one candidate; in a child process where None.
        """
        self._plan = plan
        self._model = model
        self._machine = machine
        self._clock = clock
        self._folder = folder
        self._threads = threads
        self._watched = watched
        self._try_out = try_out or ChildTrials(sys.executable)

    def kept(self) -> KeptChoice | None:
        """The outcome of an earlier start on the same machine with the same model and run-times."""
        shelf = self._shelf()
        return None if shelf is None else shelf.find(self._key(make_exam(self._plan)))

    def choose(self, *, anew: bool = False) -> EngineChoice:
        """Load the engine chosen earlier, or try every candidate (always when `anew`).

        Raises:
            ModelFileError: the model's file is at fault.
            ModelError: it came in a bundle, and does not find what that says.
            EngineUnavailable: no engine can run it.
        """
        exam = make_exam(self._plan)
        shelf, forgot = self._shelf(), ""
        kept = None if shelf is None or anew else shelf.find(self._key(exam))
        if kept is not None:
            try:
                engine = load_examined(kept.chosen.candidate, self._request, exam, kept.answers)
            except DevicesError as error:
                forgot = f"the engine chosen earlier cannot be used any more: {error}"
            else:
                return EngineChoice(engine, kept.verdicts, kept_since=kept.made_at)
        return replace(self._chosen(exam, shelf), forgot=forgot)

    def _chosen(self, exam: Exam, shelf: ChoiceShelf | None) -> EngineChoice:
        verify_bundled(self._plan)  # so that no engine is blamed for what the bundle says
        policy = Policy.EFFICIENT if self._model.engine == Policy.EFFICIENT.value else Policy.FASTEST
        ways = self._ways()
        choice = choose(ways, self._request, exam, self._try_out, policy=policy)
        if shelf is not None:
            try:
                shelf.keep(self._key(exam), KeptChoice(choice.verdicts, choice.answers, self._clock.now()))
            except OSError as error:
                return EngineChoice(choice.engine, choice.verdicts, forgot=f"the choice is not kept: {error}")
        return EngineChoice(choice.engine, choice.verdicts)

    def _ways(self) -> tuple[Candidate, ...]:
        """What the machine has and the site's servers; a model in a run-time's own format runs on nothing else."""
        inventory = self._machine.inventory()
        if self._model.servers:
            servers = Accelerator(AcceleratorKind.REMOTE, "model servers")
            inventory = replace(inventory, accelerators=(*inventory.accelerators, servers))
        ways = candidates(inventory, self._model.engine)
        only = only_runtime(self._plan.path)
        return ways if only is None else tuple(way for way in ways if way.runtime in (None, only))

    def _request(self, accelerator: Accelerator) -> EngineRequest:
        folder = None if self._folder is None else self._folder / ENGINES_FOLDER
        return self._watched(
            make_request(self._plan, self._model, accelerator, threads=self._threads, cache_dir=folder)
        )

    def _key(self, exam: Exam) -> str:
        hardware = self._machine.hardware()
        return choice_key(
            hardware,
            self._request(hardware.accelerators[0]),
            exam.questions,
            model_sha256=self._plan.sha256,
            wanted=self._model.engine,
            distributions=DISTRIBUTIONS,
        )

    def _shelf(self) -> ChoiceShelf | None:
        return None if self._folder is None else ChoiceShelf(self._folder / ENGINES_FOLDER)
