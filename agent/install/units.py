"""Puts a release's units, user, folders and rules where systemd and udev look, and takes them away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.install.hands import Hands
from agent.install.layout import COMMAND, CURRENT, DROP_INS, SYSUSERS, TMPFILES, UDEV_RULES, UNITS, Layout

UNIT_FILES = ("sitewatch@.service", "sitewatch-retry@.service", "sitewatch-retry@.timer")
RULES = "60-sitewatch-{}.rules"
CREDENTIALS = "credentials.conf"
# LoadCredential takes a whole folder from this version on.
FOLDERS_AS_CREDENTIALS_SINCE = 250


class Units:
    """The files outside of /opt/sitewatch that belong to the release in use."""

    def __init__(self, layout: Layout, hands: Hands) -> None:
        self._layout = layout
        self._hands = hands

    def put(self, systemd: Path, boards: Sequence[str], systemd_version: int) -> None:
        """Make them those of a release's `systemd` folder, and remove those that only another one had."""
        wanted = self._wanted(systemd, boards, systemd_version)
        files = {path: source for path, source in wanted if source.exists()}
        for path in self._ours():
            if path not in files:
                self._hands.remove(path)
        for path, source in files.items():
            self._hands.write(path, source.read_text(encoding="utf-8"))

    def boards(self) -> tuple[str, ...]:
        """Names of the drop-ins that are there now."""
        folder = self._layout.real(DROP_INS)
        return tuple(sorted(path.stem[3:] for path in folder.glob("50-*.conf")))

    def take_away(self) -> None:
        """Remove them all."""
        for path in self._ours():
            self._hands.remove(path)
        self._hands.remove(self._layout.real(DROP_INS))
        command = self._layout.real(COMMAND)
        if command.is_symlink() and command.readlink() == CURRENT / "bin" / "sitewatch":
            self._hands.remove(command)

    def _wanted(self, systemd: Path, boards: Sequence[str], version: int) -> Iterator[tuple[Path, Path]]:
        real = self._layout.real
        for name in UNIT_FILES:
            yield real(UNITS / name), systemd / name
        yield real(SYSUSERS), systemd / "sysusers.d" / "sitewatch.conf"
        yield real(TMPFILES), systemd / "tmpfiles.d" / "sitewatch.conf"
        if version >= FOLDERS_AS_CREDENTIALS_SINCE:
            yield real(DROP_INS / f"40-{CREDENTIALS}"), systemd / CREDENTIALS
        for board in boards:
            yield real(DROP_INS / f"50-{board}.conf"), systemd / "boards" / f"{board}.conf"
            rules = systemd / "udev" / RULES.format(board)
            yield real(UDEV_RULES / rules.name), rules

    def _ours(self) -> list[Path]:
        real = self._layout.real
        files = [*(real(UNITS / name) for name in UNIT_FILES), real(SYSUSERS), real(TMPFILES)]
        files += sorted(real(DROP_INS).glob("[45]0-*.conf"))
        files += sorted(real(UDEV_RULES).glob(RULES.format("*")))
        return [path for path in files if path.is_file()]
