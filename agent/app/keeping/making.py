"""Makes what keeps a site's tracks, if its settings ask for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from agent.app.detection import Detection
from agent.app.happened import Happened
from agent.app.keeping.keeper import Keeper
from agent.app.keeping.kept_file import KeptFile
from agent.clock import Clock
from agent.events.lifecycle import LifecycleRule
from agent.events.rule import Rule
from agent.publish.open_objects import told_events
from agent.publish.outbox import Outbox
from agent.settings.models import KeepOverRestart, ModelSettings, SiteSettings
from agent.settings.types import SourceKind

KEPT_FILE = "tracks.json"
CHUNK_BYTES = 1024**2


def keeps_tracks(site: SiteSettings) -> bool:
    """Whether tracks live on over a restart."""
    return site.tracking.keep_over_restart is KeepOverRestart.ON


def make_keeper(
    site: SiteSettings,
    detection: Detection,
    outbox: Outbox,
    rules: Sequence[Rule],
    folder: Path,
    *,
    clock: Clock,
    happened: Happened,
    numbered_by: MutableMapping[tuple[str, int], str],
) -> Keeper | None:
    """What keeps the tracks of this site; None where that is not asked for."""
    lifecycle = next((rule for rule in rules if isinstance(rule, LifecycleRule)), None)
    if lifecycle is None or not keeps_tracks(site):
        return None
    return Keeper(
        KeptFile(folder / KEPT_FILE),
        lifecycle,
        lambda: told_events(outbox.objects()),
        fits_of(site, detection.labels),
        patience_s=float(site.tracking.lost_patience),
        clock=clock,
        happened=happened.track,
        numbered_by=numbered_by,
    )


def fits_of(site: SiteSettings, labels: tuple[str, ...]) -> dict[str, str]:
    """Of each live camera a digest of what must be the same for tracks to go on; files begin again, so have none.

    Sources go in as they are shown, without credentials.
    """
    shared = [_model_digest(site), list(labels), site.tracking.model_dump(mode="json")]
    return {
        camera_id: hashlib.sha256(json.dumps([str(camera.source), *shared]).encode()).hexdigest()
        for camera_id, camera in site.cameras.items()
        if camera.source.kind is not SourceKind.FILE
    }


def _model_digest(site: SiteSettings) -> str:
    if not isinstance(site.model, ModelSettings):
        return site.model
    digest = hashlib.sha256()
    with site.model.path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
