"""`sitewatch probe`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path

from agent.app.build import choice_as_json, choice_lines, choose_for
from agent.app.engine_choice import EngineChoice
from agent.app.machine import Machine
from agent.app.probe_text import probe_lines
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.settings.load import load_site
from agent.settings.models import ModelSettings
from devices.candidates import candidates


def main(options: argparse.Namespace) -> int:
    """Print what this machine has, what could run here, and why the rest cannot; of a site, what would run.

    Raises:
        SettingsError: the site file is wrong.
        ModelError: its model cannot be used.
        EngineUnavailable: no engine here can run it.
    """
    machine, choice = Machine(), None
    if options.site is not None:
        quiet_libraries()
        machine, choice = _of_site(options.site)
    inventory, vitals = machine.inventory(), machine.vitals()
    ways = candidates(inventory)
    if options.json:
        told = {
            **dataclasses.asdict(inventory),
            "candidates": [dataclasses.asdict(way) for way in ways],
            "vitals": dataclasses.asdict(vitals),
            **({} if choice is None else choice_as_json(choice)),
        }
        say(json.dumps(told, indent=2, default=str))
    else:
        said = [] if choice is None else ["", *choice_lines(choice)]
        say("\n".join([*probe_lines(inventory, ways, vitals), *said]))
    return 0


def _of_site(path: Path) -> tuple[Machine, EngineChoice | None]:
    """The machine as the site uses it, and which engine a start would take."""
    site = load_site(path, os.environ)
    machine = Machine.of_site(site)
    if not isinstance(site.model, ModelSettings):
        return machine, None
    choice = choose_for(site, site.model, machine, anew=False)
    choice.engine.close()
    return machine, choice
