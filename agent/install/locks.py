"""Which pinned packages a release gets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from agent.errors import InstallError

# What a site may have besides the base; the other locks are for tests, tools and other programs.
SITE_EXTRAS = ("apple", "demo", "intel", "nvidia", "remote", "serve", "tools")
# JetPack brings these for the system's Python, built for its own CUDA; a wheel would hide them.
JETPACKS_OWN = ("opencv-python-headless", "tensorrt", "numpy")
_AN_ENTRY = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)


def locks(folder: Path, extras: Sequence[str]) -> tuple[Path, ...]:
    """The locks to install one after the other; each holds the base, and what two pin they pin alike.

    Raises:
        InstallError: there is no such extra.
    """
    if not extras:
        return (folder / "base.lock",)
    for extra in extras:
        if extra not in SITE_EXTRAS:
            raise InstallError(f"--with {extra}: no such extra; allowed: {', '.join(SITE_EXTRAS)}")
    return tuple(folder / f"{extra}.lock" for extra in dict.fromkeys(extras))


def for_jetson(lock: str, instead: str) -> str:
    """A lock without what JetPack brings itself, and with the NumPy that JetPack's OpenCV was built for.

    Args:
        lock: the text of a lock.
        instead: pins that take the place of those left out.
    """
    entries = [entry for entry in _AN_ENTRY.split(lock) if not entry.startswith(JETPACKS_OWN)]
    return "".join(entries).rstrip("\n") + "\n" + instead
