"""Reads the changed site file and checks it as wholly as a start would, while the site goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.app.detection import make_plan, read_plan
from agent.app.reload.difference import Changes, Effect, applicable, difference
from agent.detect.detection_plan import DetectionPlan
from agent.errors import ModelError
from agent.settings.broken_rule import BrokenRule
from agent.settings.label_rules import unknown_labels
from agent.settings.load import load_site, mistakes_found_later
from agent.settings.models import DetectionSettings, ModelSettings, SiteSettings


@dataclass(frozen=True, eq=False)
class NewSite:
    """What a site file asks for.

    Attributes:
        site: what shall run: as the file says, but for the keys that need a restart of the service.
        plan: how its model is fed and read; None where there is no model.
        changes: against what runs.
        has_other_model: the model must be made ready anew.
    """

    site: SiteSettings
    plan: DetectionPlan | None
    changes: Changes
    has_other_model: bool


def read_anew(
    path: Path, environ: Mapping[str, str], running: SiteSettings, running_plan: DetectionPlan | None
) -> NewSite:
    """Read it, and everything it names.

    Raises:
        SettingsError: with every mistake; an unusable model and labels that it lacks are among them.
    """
    said = load_site(path, environ)
    plan = _plan(path, environ, said)
    changes = difference(running, said)
    has_other_model = changes.has(Effect.MODEL) or _told_apart(plan) != _told_apart(running_plan)
    return NewSite(applicable(running, said), plan, changes, has_other_model)


def _plan(path: Path, environ: Mapping[str, str], site: SiteSettings) -> DetectionPlan | None:
    model = site.model
    if not isinstance(model, ModelSettings):
        return None
    try:
        labels = read_plan(model, DetectionSettings()).labels.texts
    except ModelError as error:
        raise mistakes_found_later(path, environ, [BrokenRule(("model",), str(error), allowed="")]) from error
    broken = list(unknown_labels(site, labels))
    if broken:
        raise mistakes_found_later(path, environ, broken)
    return make_plan(model, site.detection, site.cameras)


def _told_apart(plan: DetectionPlan | None) -> object:
    """What differs between two models; the file may be another one under the same name."""
    if plan is None:
        return None
    return plan.sha256, plan.labels.texts, None if plan.bundled is None else plan.bundled.sha256
