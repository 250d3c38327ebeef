"""The rules a site's settings ask for."""

from __future__ import annotations

from agent.app.happened import Happened
from agent.events.event_ids import EventIds
from agent.events.lifecycle import LifecyclePatience, LifecycleRule
from agent.events.rule import Rule
from agent.settings.models import SiteSettings


def make_rules(site: SiteSettings, ids: EventIds, happened: Happened, run_id: str | None = None) -> list[Rule]:
    """One of each; the run's id is made here unless it is given."""
    return [LifecycleRule(site.site, run_id or ids.next_id(), ids, lifecycle_patience(site), happened.events)]


def lifecycle_patience(site: SiteSettings) -> LifecyclePatience:
    """When a track is worth telling, by these settings."""
    return LifecyclePatience(update_every_s=float(site.events.update_every))
