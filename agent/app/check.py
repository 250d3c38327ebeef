"""`sitewatch check`."""

from __future__ import annotations

import argparse
import os

from agent.app.detection import label_filters, wanted_by_any
from agent.detect.detection_plan import plan_model
from agent.settings.effective import describe
from agent.settings.load import load_site
from agent.settings.models import ModelSettings, SiteSettings


def main(options: argparse.Namespace) -> int:
    """Check a site file, the files it names, and that its model can be recognised and fits its labels.

    Raises:
        SettingsError: every mistake in one report.
        ModelError: the model cannot be used.
    """
    site = load_site(options.site, os.environ)
    told = check_model(site)
    if options.show:
        print(describe(site), end="")
    else:
        cameras = ", ".join(site.cameras)
        print(f"{options.site}: good. Site {site.site}, cameras {cameras}; {told}")
    return 0


def check_model(site: SiteSettings) -> str:
    """Read the site's model as a run would, without an engine; what will run, in a sentence.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: a label is named that the model does not have.
    """
    if not isinstance(site.model, ModelSettings):
        return "the built-in motion detector"
    plan = plan_model(site.model.path, site.model, wanted_by_any(site.detection, site.cameras))
    label_filters(plan.labels.texts, site.detection, site.cameras)
    return plan.told()
