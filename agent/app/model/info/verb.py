"""`sitewatch model info`."""

from __future__ import annotations

import argparse

from agent.app.model.info.report import as_json, as_text
from agent.app.model.steps import Steps
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.models.info.analysis import analyse
from agent.service.exit_codes import ExitCode


def main(options: argparse.Namespace) -> int:
    """Print what a model is made of and what can run it.

    Raises:
        ToolInputError: the model cannot be read, or a shape does not fit.
    """
    quiet_libraries()
    with Steps(options.model.name) as steps:
        found = analyse(options.model, dict(options.shapes), steps.at)
    say(as_json(found) if options.json else as_text(found, options.layers))
    return ExitCode.OK
