"""`sitewatch check`."""

from __future__ import annotations

import argparse
import os

from agent.app.detection import read_plan
from agent.app.saying import say
from agent.errors import ModelError
from agent.models.bundle.verifying import verify_bundled
from agent.settings.broken_rule import BrokenRule
from agent.settings.effective import describe
from agent.settings.label_rules import unknown_labels
from agent.settings.load import load_site, mistakes_found_later
from agent.settings.models import DetectionSettings, ModelSettings, SiteSettings


def main(options: argparse.Namespace) -> int:
    """Check a site file, the files it names, and that its model can be recognised and fits its labels.

    Raises:
        SettingsError: every mistake in one report.
    """
    site = load_site(options.site, os.environ)
    told, broken = check_model(site)
    if broken:
        raise mistakes_found_later(options.site, os.environ, broken)
    if options.show:
        say(describe(site).rstrip("\n"))
    else:
        say(f"{options.site}: good. Site {site.site}, cameras {', '.join(site.cameras)}; {told}")
    return 0


def check_model(site: SiteSettings) -> tuple[str, list[BrokenRule]]:
    """Read the site's model as a run would, without an engine: what will run, in a sentence, and what is wrong."""
    if not isinstance(site.model, ModelSettings):
        return "the built-in motion detector", []
    try:
        plan = read_plan(site.model, DetectionSettings())
        verify_bundled(plan)
    except ModelError as error:
        return "", [BrokenRule(("model",), str(error), allowed="")]
    return plan.told(), list(unknown_labels(site, plan.labels.texts))
