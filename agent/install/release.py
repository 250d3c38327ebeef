"""A release: one version with its environment, in a folder of its own that never changes once it is finished."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import InstallError

STAMP = ".sitewatch-release"
PACKAGES = ("agent", "devices", "trackers", "systemd")
_VERSION = re.compile(r'^__version__ = "([0-9A-Za-z.+-]+)"$', re.MULTILINE)
_WHEEL = re.compile(r"^sitewatch-([0-9A-Za-z.+!]+)-[^/]+\.whl$")
FINGERPRINT_LETTERS = 8


@dataclass(frozen=True)
class Source:
    """What a release is made of.

    Attributes:
        tree: the source tree, with locks, units and the example site.
        wheel: the packages, or None to build them from the tree.
        locks: pinned packages, in the order of installation.
        python: the interpreter that makes the environment, and its version.
        is_jetson: use what JetPack installed for the system's Python.
    """

    tree: Path
    wheel: Path | None
    locks: tuple[Path, ...]
    python: tuple[str, str]
    is_jetson: bool

    @property
    def version(self) -> str:
        """As the packages tell it.

        Raises:
            InstallError: they do not.
        """
        if self.wheel is not None:
            found = _WHEEL.match(self.wheel.name)
            if found is None or not self.wheel.is_file():
                raise InstallError(f"--wheel {self.wheel}: allowed: a file sitewatch-VERSION-py3-none-any.whl")
            return found[1]
        told = _VERSION.search((self.tree / "agent" / "__init__.py").read_text(encoding="utf-8"))
        if told is None:
            raise InstallError(f"{self.tree}/agent/__init__.py tells no version; is this a source tree of sitewatch?")
        return told[1]

    @property
    def fingerprint(self) -> str:
        """Another content, lock, Python or kind of environment is another fingerprint."""
        digest = hashlib.sha256(f"{self.python} {self.is_jetson}".encode())
        for path in self._files():
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _files(self) -> Iterator[Path]:
        yield from self.locks
        folders = PACKAGES if self.wheel is None else ("systemd",)
        for folder in folders:
            files = (path for path in (self.tree / folder).rglob("*") if path.is_file())
            yield from sorted(path for path in files if "__pycache__" not in path.parts)
        if self.wheel is not None:
            yield self.wheel


def is_finished(folder: Path, fingerprint: str) -> bool:
    """Whether a release of this fingerprint lies there, whole."""
    return _stamp(folder).get("fingerprint") == fingerprint


def finished(releases: Path) -> list[Path]:
    """All whole releases, oldest first."""
    found = [folder for folder in releases.glob("*") if _stamp(folder)]
    return sorted(found, key=lambda folder: (folder / STAMP).stat().st_mtime)


def stamp_text(source: Source) -> str:
    """What is written last into a release."""
    known = {"version": source.version, "fingerprint": source.fingerprint, "python": source.python[1]}
    return json.dumps({**known, "locks": [lock.name for lock in source.locks]}, indent=1) + "\n"


def folder_for(releases: Path, source: Source) -> Path:
    """Where a release goes: its version, with its fingerprint where another one of that version is there already."""
    plain = releases / source.version
    if not _stamp(plain) or is_finished(plain, source.fingerprint):
        return plain
    return releases / f"{source.version}+{source.fingerprint[:FINGERPRINT_LETTERS]}"


def _stamp(folder: Path) -> dict[str, object]:
    try:
        known = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
