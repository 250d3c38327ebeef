"""`sitewatch model verify`."""

from __future__ import annotations

import argparse
import json

from agent.app.machine import Machine
from agent.app.model.evaluate.model_options import inventory_with_servers, wanted_engines
from agent.app.model.verify.findings import look_at
from agent.app.model.verify.report import as_json, as_text
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.errors import ModelError, RefusedResultError, ToolInputError, ToolUnavailableError
from agent.models.bundle.bundle import opened
from agent.models.evaluate.engine_use import EngineUse, engines_here
from agent.service.exit_codes import ExitCode
from agent.settings.models import ModelSettings


def main(options: argparse.Namespace) -> int:
    """Print what was checked.

    Raises:
        ToolInputError: the bundle is not wholly what was packed.
        RefusedResultError: an engine does not find what it says.
        ToolUnavailableError: an engine asked for cannot run it.
    """
    quiet_libraries()
    try:
        with opened(options.bundle):
            pass  # what is no bundle is told before the machine is looked at
        asked = _asked(options)
        finding = look_at(options.bundle, _uses(options, asked), asked)
    except ModelError as error:
        raise ToolInputError(str(error)) from error
    say(json.dumps(as_json(finding), indent=2) if options.json else "\n".join(as_text(finding)))
    if finding.faults:
        raise RefusedResultError("; ".join(finding.faults))
    if failed := [each for each in finding.engines if each.failure]:
        raise ToolUnavailableError(f"{options.bundle}: {failed[0].use.name}: {failed[0].failure}")
    return ExitCode.OK


def _asked(options: argparse.Namespace) -> ModelSettings:
    said = {
        "path": options.bundle,
        "servers": tuple(options.server),
        "worker_python": options.worker_python,
        "isolate": options.isolate,
    }
    try:
        return ModelSettings.model_validate(said)
    except ValueError as error:
        raise ToolInputError(f"--server: found {', '.join(options.server)}; allowed: grpc://host:8001") from error


def _uses(options: argparse.Namespace, asked: ModelSettings) -> tuple[EngineUse, ...]:
    wanted = wanted_engines(options)
    if wanted == (options.usual_engines,):
        return ()
    machine = Machine(worker_python=options.worker_python)
    return engines_here(wanted, inventory_with_servers(machine, asked), options.bundle)
