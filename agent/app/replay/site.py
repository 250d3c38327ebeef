"""The settings clips are played with: a site file's with the clips as its only cameras, or the defaults."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from agent.errors import SettingsError, SourceError, SourceFailure
from agent.settings.load import load_site
from agent.settings.models import CameraSettings, ModelSettings, Pace, SinkKind, SiteSettings
from agent.settings.types import SourceAddress, SourceKind

SITE_ID = "replay"
Model = Literal["motion"] | ModelSettings


def replay_site(options: argparse.Namespace) -> SiteSettings:
    """What to run, from the command line's options.

    Raises:
        SourceError: there is no such clip.
        SettingsError: the site file is wrong, or an option is.
    """
    camera_id = camera_id_of(options.clip)
    if not Path(options.clip).is_file():
        what = "is a folder, not a file" if Path(options.clip).is_dir() else "no such file"
        raise SourceError(camera_id, SourceFailure.NOT_FOUND, f"{options.clip}: {what}")
    return site_of_clips(options, {camera_id: clip_camera(Path.cwd() / options.clip)})


def clip_camera(clip: Path) -> CameraSettings:
    """A clip as a camera of which every frame is looked at, as fast as it goes."""
    return CameraSettings(source=SourceAddress(SourceKind.FILE, str(clip)), pace=Pace.FAST, detect_fps=None)


def site_of_clips(options: argparse.Namespace, cameras: Mapping[str, CameraSettings]) -> SiteSettings:
    """What to run with these cameras in place of the site file's.

    Args:
        options: `model`, `site`, `labels` and `score_threshold`; of the first two at least one.
        cameras: by id.

    Raises:
        SettingsError: the site file is wrong, or an option is.
    """
    if options.site is None:
        bare = SiteSettings(
            site=SITE_ID, sink=SinkKind.JSONL, model=_model(options.model, "motion"), cameras=dict(cameras)
        )
        return _chosen(options, bare)
    site = load_site(options.site, os.environ, check_files=False)
    return _chosen(options, site.model_copy(update={"cameras": dict(cameras), "sink": SinkKind.JSONL}))


def _chosen(options: argparse.Namespace, site: SiteSettings) -> SiteSettings:
    """The options laid over the site."""
    update: dict[str, object] = {}
    if options.model is not None:
        update["model"] = _model(options.model, site.model)
    model = update.get("model", site.model)
    if options.labels is not None:
        if not isinstance(model, ModelSettings):
            raise SettingsError("--labels: the motion detector has a label of its own; leave it out, or name a model")
        update["model"] = model.model_copy(update={"labels": options.labels})
    if options.score_threshold is not None:
        if not 0.0 <= options.score_threshold <= 1.0:
            raise SettingsError(f"--score-threshold: found {options.score_threshold}; allowed is 0 to 1")
        update["detection"] = site.detection.model_copy(update={"score_threshold": options.score_threshold})
    return site.model_copy(update=update)


def _model(given: str, of_site: Model) -> Model:
    if given == "motion":
        return "motion"
    if isinstance(of_site, ModelSettings):
        return of_site.model_copy(update={"path": Path(given)})
    return ModelSettings(path=Path(given))


def camera_id_of(clip: str) -> str:
    """The clip's name as a camera's."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", Path(clip).stem.lower()).strip("-_")
    return plain[:63] or "clip"
