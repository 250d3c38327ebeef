"""`sitewatch build`: the site's engines, made ready and compared ahead of the first start."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from agent.app.detection import make_chooser, make_plan
from agent.app.engine_choice import EngineChoice
from agent.app.engine_table import table_lines, verdicts_as_json
from agent.app.machine import Machine
from agent.app.places import state_folder
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.clock import SystemClock
from agent.settings.load import load_site
from agent.settings.models import ModelSettings, SiteSettings


def main(options: argparse.Namespace) -> int:
    """Make the engines ready that a start would, and print what became of each.

    Raises:
        SettingsError: the site file is wrong.
        ModelError: the model cannot be used.
        EngineUnavailable: no engine here can run it.
    """
    quiet_libraries()
    site = load_site(options.site, os.environ)
    if not isinstance(site.model, ModelSettings):
        say("[]" if options.json else "the built-in motion detector needs no engine")
        return 0
    choice = choose_for(site, site.model, Machine.of_site(site), anew=options.anew)
    choice.engine.close()
    say(json.dumps(choice_as_json(choice), indent=2, default=str) if options.json else "\n".join(choice_lines(choice)))
    return 0


def choose_for(site: SiteSettings, model: ModelSettings, machine: Machine, *, anew: bool) -> EngineChoice:
    """What a start of this site would choose, progress told on standard error; the caller closes the engine."""
    folder = state_folder(site, os.environ, Path.home())
    plan = make_plan(model, site.detection, site.cameras, folder)
    return make_chooser(plan, model, machine, SystemClock(), folder, _tell).choose(anew=anew)


def choice_lines(choice: EngineChoice) -> list[str]:
    """The table, and when it was measured."""
    when = "" if choice.kept_since is None else f", as measured on {choice.kept_since:%Y-%m-%d %H:%M} UTC"
    notes = [f"  note: {note}" for note in (choice.forgot, *choice.engine.spec.notes) if note]
    return [f"engines for this model{when}", *table_lines(choice.verdicts), *notes]


def choice_as_json(choice: EngineChoice) -> dict[str, object]:
    """The same for programs."""
    return {
        "engines": verdicts_as_json(choice.verdicts),
        "measured_at": None if choice.kept_since is None else choice.kept_since.isoformat(),
        "notes": [note for note in (choice.forgot, *choice.engine.spec.notes) if note],
    }


def _tell(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
