"""The configuration in effect: printed for a person, and as one digest for the status topic."""

from __future__ import annotations

import hashlib
import json

import yaml

from agent.settings.models import SiteSettings


def describe(settings: SiteSettings) -> str:
    """Every key with the value in effect, as YAML, defaults included; secrets and credentials as stars."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)


def digest(settings: SiteSettings) -> str:
    """SHA-256, in hexadecimal, over every value in effect; equal for equal settings in every process.

    Secrets go in as stars: the digest is published, and a short password could be guessed from it. So it does
    not change where only a password does, but does where one appears or goes.
    """
    canonical = json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
