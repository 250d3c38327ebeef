"""The settings that clips of a batch are played with."""

from __future__ import annotations

import argparse

from agent.app.batch.clips import Clip
from agent.app.replay.site import clip_camera, site_of_clips
from agent.errors import SettingsError
from agent.settings.models import ModelSettings, SiteSettings

MOST = {"jobs": 256, "batch": 64, "sessions": 16}


def batch_site(options: argparse.Namespace, first: Clip) -> SiteSettings:
    """As a replay's, with `batch` and `sessions` laid over it; its only camera stands for every clip.

    Raises:
        SettingsError: the site file is wrong, or an option is.
    """
    for name, most in MOST.items():
        given = getattr(options, name)
        if given is not None and not 1 <= given <= most:
            raise SettingsError(f"--{name}: found {given}; allowed is 1 to {most}")
    site = site_of_clips(options, {first.camera_id: clip_camera(first.path)})
    changed = {name: getattr(options, name) for name in ("batch", "sessions") if getattr(options, name) is not None}
    if not changed:
        return site
    if not isinstance(site.model, ModelSettings):
        raise SettingsError(f"--{next(iter(changed))}: the motion detector takes one frame at a time; leave it out")
    return site.model_copy(update={"model": site.model.model_copy(update=changed)})
