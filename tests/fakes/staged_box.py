"""A box in a folder: a staging root, a source tree of a small release, and a systemd that only plays."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from pathlib import Path

from fakes.clock import FakeClock
from fakes.small_release import small_tree, small_wheel
from fakes.systemctl import FakeSystemd

from agent.install.hands import Hands
from agent.install.installing import AUTO, Installer, Wish
from agent.install.layout import Layout
from agent.install.locks import locks
from agent.install.manager import Manager
from agent.install.release import Source, folder_for, is_finished
from agent.install.removing import uninstall

READY_WITHIN_S = 60.0


class StagedBox:
    """Installs and uninstalls as the command line does; `said` is every line that was told.

    Releases that another box has built already are taken from `built`: to build one takes seconds.
    """

    def __init__(self, folder: Path, built: Path, *instances: str) -> None:
        self.root = folder / "root"
        self.tree = small_tree(folder / "tree")
        self.systemd = FakeSystemd(folder / "programs", self.root, *instances)
        self.said: list[str] = []
        self.root.mkdir()
        self._folder = folder
        self._built = built
        self._clock = FakeClock()

    def install(
        self, version: str, *, board: str = AUTO, dry_run: bool = False, is_jetson: bool = False, status: int = 0
    ) -> Path:
        """Install a small release of this version; its program ends with `status`."""
        wheel = small_wheel(self._folder, version, status=status)
        python = (str(Path(sys.executable).resolve()), platform.python_version())
        source = Source(self.tree, wheel, locks(self.tree / "requirements", ()), python, is_jetson)
        if dry_run:
            return self._install(source, board, dry_run=True)
        known = self._built / source.fingerprint
        place = folder_for(self.root / "opt/sitewatch/releases", source)
        if known.exists() and not place.exists():
            shutil.copytree(known, place, symlinks=True)
        try:
            return self._install(source, board, dry_run=False)
        finally:
            if is_finished(place, source.fingerprint) and not known.exists():
                shutil.copytree(place, known, symlinks=True)

    def uninstall(self, *, purge: bool = False, dry_run: bool = False) -> None:
        """Take it away."""
        hands, manager = self._hands(dry_run=dry_run)
        uninstall(Layout(self.root), hands, manager, purge=purge)

    def current(self) -> str:
        """Name of the release in use."""
        return (self.root / "opt/sitewatch/current").readlink().name

    def releases(self) -> set[str]:
        """Names of all releases that are there."""
        return {path.name for path in (self.root / "opt/sitewatch/releases").iterdir()}

    def contents(self) -> str:
        """Another tree of files is another text."""
        digest = hashlib.sha256()
        for path in sorted(self.root.rglob("*")):
            digest.update(f"{path.relative_to(self.root)} {path.lstat().st_mode}".encode())
            digest.update(str(path.readlink()).encode() if path.is_symlink() else b"")
            digest.update(path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
        return digest.hexdigest()

    def _install(self, source: Source, board: str, *, dry_run: bool) -> Path:
        hands, manager = self._hands(dry_run=dry_run)
        return Installer(Wish(source, board, READY_WITHIN_S), Layout(self.root), hands, manager).install()

    def _hands(self, *, dry_run: bool) -> tuple[Hands, Manager]:
        environ = {**os.environ, "PATH": f"{self.systemd.folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
        hands = Hands(self.said.append, environ, dry_run=dry_run)
        return hands, Manager(hands, Layout(self.root), self._clock, self._clock.advance)
