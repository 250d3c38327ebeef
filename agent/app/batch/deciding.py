"""One digest over all that decides what comes out of a clip, so that a later run knows whether it would differ."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from agent import __version__
from agent.errors import ModelError
from agent.models.bundle.bundle import is_bundle, opened
from agent.settings.models import ModelSettings, SiteSettings
from devices.engines.any_model import read_any_model
from devices.errors import DevicesError

# How fast it goes, not what comes out.
OF_NO_CONSEQUENCE = {
    "path", "labels", "threads", "sessions", "batch", "batch_wait", "inference_deadline", "isolate", "worker_python",
    "servers", "remote_timeout",
}  # fmt: skip
SECTIONS = {"site", "detection", "tracking", "events"}


def deciding_digest(site: SiteSettings, options: argparse.Namespace) -> str:
    """SHA-256, in hexadecimal, over release, model, labels, settings and which outputs are asked for.

    Of a model or label file that cannot be read it is that of nothing; who loads it tells why.
    """
    deciding = {
        "release": __version__,
        "settings": site.model_dump(mode="json", include=SECTIONS),
        "model": _model(site.model) if isinstance(site.model, ModelSettings) else site.model,
        "outputs": [bool(options.mot), not options.no_video],
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _model(model: ModelSettings) -> dict[str, object]:
    labels = _file_digest(model.labels) if isinstance(model.labels, Path) else model.labels
    return {
        "sha256": _model_digest(model.path),
        "labels": labels,
        **model.model_dump(mode="json", exclude=OF_NO_CONSEQUENCE),
    }


def _model_digest(path: Path) -> str:
    try:
        if is_bundle(path):
            with opened(path) as bundle:
                return bundle.sha256
        return read_any_model(path).sha256
    except (DevicesError, ModelError):
        return ""


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
