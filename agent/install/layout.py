"""Where everything lies on a box. Under a staging root the same paths, below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PREFIX = Path("/opt/sitewatch")
RELEASES = PREFIX / "releases"
CURRENT = PREFIX / "current"
COMMAND = Path("/usr/local/bin/sitewatch")
# The vendor's place; /etc/systemd/system stays the operator's.
UNITS = Path("/usr/local/lib/systemd/system")
OPERATORS_UNITS = Path("/etc/systemd/system")
DROP_INS = UNITS / "sitewatch@.service.d"
SYSUSERS = Path("/usr/local/lib/sysusers.d/sitewatch.conf")
TMPFILES = Path("/usr/local/lib/tmpfiles.d/sitewatch.conf")
UDEV_RULES = Path("/etc/udev/rules.d")
CONFIGURATION = Path("/etc/sitewatch")
EXAMPLE = CONFIGURATION / "example.yaml"
KEPT = (Path("/var/lib/sitewatch"), Path("/var/cache/sitewatch"))
# Inside a release: what it needs besides its packages, so that going back to it brings its own units back.
SHARE = Path("share/sitewatch")


@dataclass(frozen=True)
class Layout:
    """The box's paths, or those of a staging root.

    Attributes:
        root: "/" for this box itself.
    """

    root: Path

    @property
    def is_staged(self) -> bool:
        """Whether this is a folder that becomes, or stands for, another box."""
        return self.root != Path("/")

    def real(self, path: Path) -> Path:
        """Where a path of the box is for us."""
        return self.root / path.relative_to("/")

    def boxed(self, path: Path) -> Path:
        """How a path of ours is called on the box."""
        return Path("/") / path.relative_to(self.root)
