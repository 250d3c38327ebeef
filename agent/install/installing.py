"""Installs a release, or upgrades to one; where it does not become ready, the box is left with the one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.errors import InstallError, RolledBackError
from agent.install.board import boards_of, chosen_boards
from agent.install.building import build
from agent.install.hands import Hands
from agent.install.layout import COMMAND, CONFIGURATION, CURRENT, EXAMPLE, RELEASES, SHARE, Layout
from agent.install.manager import Manager
from agent.install.release import Source, finished
from agent.install.units import Units

AUTO = "auto"
SCHEMA = "$schema=../site.schema.json"


@dataclass(frozen=True)
class Wish:
    """What the person asked for.

    Attributes:
        source: what the release is made of.
        board: `auto`, `none`, or names of drop-ins with commas between them.
        ready_within_s: how long the new release may take to be ready before the old one comes back.
    """

    source: Source
    board: str
    ready_within_s: float


class Installer:
    """One installation; `manager` is None where there is no systemd to speak to."""

    def __init__(self, wish: Wish, layout: Layout, hands: Hands, manager: Manager | None) -> None:
        self._wish = wish
        self._layout = layout
        self._hands = hands
        self._manager = manager
        self._units = Units(layout, hands)
        self._current = layout.real(CURRENT)

    def install(self) -> Path:
        """Everything, in order; the folder of the release that is in use now.

        Raises:
            InstallError: a step failed before anything of the release in use was touched.
            RolledBackError: the new release did not become ready; the one before is in use again.
        """
        if self._wish.board != AUTO:  # a wrong name is told before minutes of work
            chosen_boards(self._wish.board, self._wish.source.tree / "systemd" / "boards")
        release = build(self._wish.source, self._layout.real(RELEASES), self._hands, self._layout)
        boards = self._boards(release)
        before, boards_before = self._in_use(), self._units.boards()
        instances = () if self._manager is None else self._manager.instances()
        try:
            self._use(release, boards)
        except InstallError:
            self._use_again(before, boards_before)
            raise
        self._hands.link(self._layout.real(COMMAND), CURRENT / "bin" / "sitewatch")
        self._configuration(release)
        if self._manager is not None and (before, boards_before) != (release, boards):
            self._restart(self._manager, instances, before, boards_before)
        self._forget_old(release, before)
        return release

    def _boards(self, release: Path) -> tuple[str, ...]:
        if self._wish.board != AUTO:
            return chosen_boards(self._wish.board, release / SHARE / "systemd" / "boards")
        python = release / "bin" / "python"
        if not python.exists():
            self._hands.say("would ask the new release for this machine's devices, and choose drop-ins for them")
            return self._units.boards()
        status, said = self._hands.ask(python, "-I", "-m", "agent", "probe", "--json")
        if status != 0:
            raise InstallError(f"the new release cannot look at this machine (status {status}):\n{said}")
        found = boards_of(said[said.find("{") :], has_video_nodes=any(Path("/dev").glob("video*")))
        # A stick may be unplugged just now: what is there stays until a person names other drop-ins.
        boards = tuple(sorted({*found, *self._units.boards()}))
        self._hands.say(f"devices that need a drop-in: {', '.join(boards) or 'none'}")
        return boards

    def _in_use(self) -> Path | None:
        if not self._current.is_symlink():
            return None
        release = self._layout.real(Path("/") / self._current.readlink())
        return release if release.is_dir() else None

    def _use(self, release: Path, boards: tuple[str, ...]) -> None:
        """Point to a release, with its units; what runs goes on as it is."""
        version = 0 if self._manager is None else self._manager.version()
        shipped = release / SHARE / "systemd"
        self._units.put(shipped if shipped.exists() else self._wish.source.tree / "systemd", boards, version)
        self._hands.link(self._current, self._layout.boxed(release))
        if self._manager is not None:
            self._manager.make_user_and_folders()
            self._manager.read_anew()

    def _use_again(self, before: Path | None, boards: tuple[str, ...]) -> None:
        if before is not None:
            self._hands.say(f"going back to {before.name}")
            self._use(before, boards)

    def _configuration(self, release: Path) -> None:
        """The operator's folder is made, and never written to again but for the example."""
        folder, example = self._layout.real(CONFIGURATION), self._layout.real(EXAMPLE)
        self._hands.folder(folder, 0o750)
        shipped = self._wish.source.tree / "config" / "sites" / "example.yaml"
        schema = self._layout.boxed(release).parents[1] / "current" / SHARE / "config" / "site.schema.json"
        if not example.exists():
            self._hands.write(example, shipped.read_text(encoding="utf-8").replace(SCHEMA, f"$schema={schema}"))

    def _restart(
        self, manager: Manager, instances: tuple[str, ...], before: Path | None, boards_before: tuple[str, ...]
    ) -> None:
        were_ready = [unit for unit in instances if manager.state(unit).is_ready]
        failed = manager.restart(instances, self._wish.ready_within_s)
        for unit, why in failed.items():
            self._hands.say(f"{unit} {why}")
        if before is None or not set(failed) & set(were_ready):
            return
        self._use_again(before, boards_before)
        still = manager.restart(instances, self._wish.ready_within_s)
        found = "; ".join(f"{unit} {why}" for unit, why in failed.items())
        now = f"but {', '.join(still)} is not ready with it either" if still else "and every site is ready again"
        raise RolledBackError(
            f"the new release did not become ready ({found}); {before.name} is in use again, {now}."
            f" What it said: journalctl -u {next(iter(failed))}"
        )

    def _forget_old(self, release: Path, before: Path | None) -> None:
        """Keep the release in use and the one before."""
        if release == before:
            return
        for folder in finished(self._layout.real(RELEASES)):
            if folder not in {release, before}:
                self._hands.remove(folder)
