"""`sitewatch model eval`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from agent.app.machine import Machine
from agent.app.model.evaluate.bars import Bars
from agent.app.model.evaluate.model_options import inventory_with_servers, model_settings, wanted_engines
from agent.app.model.evaluate.report import as_json, as_text
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.errors import RefusedResultError, ToolInputError, ToolUnavailableError
from agent.models.evaluate.answers import FOR_SCORING
from agent.models.evaluate.coco_folder import CocoFolder, read_coco_folder
from agent.models.evaluate.comparing import EngineOutcome, evaluate_on
from agent.models.evaluate.engine_use import REFERENCE, EngineUse, engines_here
from agent.models.evaluate.scoring import require_evaluator
from agent.service.exit_codes import ExitCode
from agent.settings.models import ModelSettings
from devices.engines.any_model import only_runtime


def main(options: argparse.Namespace) -> int:
    """Print scores and parity.

    Raises:
        SitewatchError: the folder or a model cannot be used, no engine runs it, or engines differ.
    """
    quiet_libraries()
    require_evaluator()
    planned = [_planned(options, model_settings(options, path)) for path in options.models]
    folder = read_coco_folder(options.dataset, options.annotations, options.limit)
    outcomes = list(_outcomes(options, planned, folder))
    say(as_json(folder, outcomes) if options.json else as_text(folder, outcomes, has_classes=options.classes))
    refuse_bad(outcomes)
    return ExitCode.OK


def _planned(options: argparse.Namespace, model: ModelSettings) -> tuple[ModelSettings, DetectionPlan]:
    if not 0.0 <= options.score_threshold < 1.0:
        raise ToolInputError(f"--score-threshold: found {options.score_threshold}; allowed is a number from 0 to 1")
    detection = FOR_SCORING.model_copy(update={"score_threshold": options.score_threshold})
    return model, plan_model(model.path, model, detection)


def _outcomes(
    options: argparse.Namespace, planned: Sequence[tuple[ModelSettings, DetectionPlan]], folder: CocoFolder
) -> Iterator[EngineOutcome]:
    machine = Machine(worker_python=options.worker_python)
    with Bars("pictures") as bars:
        for model, plan in planned:
            uses = _uses(options, machine, model)
            found = evaluate_on(
                plan,
                model,
                uses,
                folder,
                options.score_threshold,
                threads=options.threads,
                progress=partial(_tell, bars, plan),
            )
            yield from ([replace(each, parity=None) for each in found] if options.no_parity else found)


def _tell(bars: Bars, plan: DetectionPlan, use: EngineUse, done: int, total: int) -> None:
    bars.at(f"{plan.path.name} on {use.name}", done, total)


def _uses(options: argparse.Namespace, machine: Machine, model: ModelSettings) -> tuple[EngineUse, ...]:
    """The engines asked for, the reference first where boxes are compared and it can run this model."""
    wanted = wanted_engines(options)
    if wanted == (options.usual_engines,) and not only_runtime(model.path):
        return (REFERENCE,)
    uses = engines_here(wanted, inventory_with_servers(machine, model), model.path)
    if options.no_parity or only_runtime(model.path):
        return uses
    return (REFERENCE, *(use for use in uses if use.name != REFERENCE.name))


def refuse_bad(outcomes: Sequence[EngineOutcome]) -> None:
    """What is printed is not the end of it: scripts must see that something is wrong.

    Raises:
        ToolUnavailableError: no engine gave a score.
        RefusedResultError: one finds other boxes than the reference.
    """
    if all(each.failure for each in outcomes):
        raise ToolUnavailableError(f"no engine could run it: {outcomes[0].use.name}: {outcomes[0].failure}")
    apart = [each for each in outcomes if each.parity is not None and not each.parity.is_within]
    if apart:
        told = "; ".join(f"{each.model} on {each.use.name}: {each.parity.told()}" for each in apart if each.parity)
        raise RefusedResultError(f"not what {REFERENCE.name} finds: {told}")
