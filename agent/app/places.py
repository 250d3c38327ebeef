"""Where this machine keeps our state, and what it is called."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from agent.settings.models import SiteSettings

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def state_folder(site: SiteSettings, environ: Mapping[str, str], home: Path) -> Path:
    """The folder for outbox and compiled engines: the site file's, the service manager's, or the user's.

    The user's follows the XDG base directory specification, and Apple's file system guide on a Mac.
    """
    if site.state_dir is not None:
        return site.state_dir
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "sitewatch" / site.site
    state_home = environ.get("XDG_STATE_HOME", "")
    return (Path(state_home) if state_home else home / ".local" / "state") / "sitewatch" / site.site


def machine_id() -> str:
    """A text that stays the same for this machine: systemd's machine-id(5), else its network hardware's address."""
    for path in MACHINE_ID_FILES:
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found
    return f"{uuid.getnode():012x}"
