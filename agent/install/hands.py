"""The only hands that change anything: each movement is said in a line first, and a dry run leaves it at that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.errors import InstallError

LAST_LINES = 15
# A package index that does not answer is pip's own affair to give up on; this ends a command that hangs for good.
COMMAND_DEADLINE_S = 3600.0


class Hands:
    """Makes, copies, links, removes and runs; one thread."""

    def __init__(self, say: Callable[[str], None], environ: Mapping[str, str], *, dry_run: bool) -> None:
        """Hands that have done nothing yet.

        Args:
            say: takes a line for a person.
            environ: for the commands that are run, without what would lead Python astray.
            dry_run: say everything, do nothing.
        """
        self._say = say
        self._environ = {key: value for key, value in environ.items() if not key.startswith("PYTHON")}
        self.dry_run = dry_run

    def say(self, sentence: str) -> None:
        """Tell the person something that is no movement."""
        self._say(sentence)

    def folder(self, path: Path, mode: int = 0o755) -> None:
        """Make a folder, and those above it, where it is missing."""
        if path.is_dir():
            return
        if self._moves(f"make folder {path}"):
            path.mkdir(mode=mode, parents=True, exist_ok=True)
            path.chmod(mode)

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write a file whole, or leave it where it already reads so."""
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        if self._moves(f"write {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.new")
            beside.write_text(text, encoding="utf-8")
            beside.chmod(mode)
            beside.replace(path)

    def link(self, path: Path, target: Path) -> None:
        """Let a link point somewhere, in one movement: nobody ever sees none."""
        if path.is_symlink() and path.readlink() == target:
            return
        if self._moves(f"link {path} to {target}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.new")
            beside.unlink(missing_ok=True)
            beside.symlink_to(target)
            beside.replace(path)

    def remove(self, path: Path) -> None:
        """Remove a file, a link or a whole folder, where there is one."""
        if not path.exists() and not path.is_symlink():
            return
        if self._moves(f"remove {path}"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def copy_tree(self, source: Path, path: Path) -> None:
        """Copy a folder, in place of what may be there."""
        if self._moves(f"copy {source} to {path}"):
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(source, path, ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Run a command.

        Raises:
            InstallError: it failed; the last lines it wrote are in the message.
        """
        words = [str(word) for word in command]
        if not self._moves(f"run {' '.join(words)}"):
            return
        status, said = self.ask(*words, env=env)
        if status != 0:
            last = "\n  ".join(said.strip().splitlines()[-LAST_LINES:])
            raise InstallError(f"{words[0]} failed with status {status}:\n  {last}")

    def ask(self, *command: str | Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and words of a command that changes nothing; runs in a dry run too. 127 where it is not there."""
        words = [str(word) for word in command]
        found = shutil.which(words[0], path=self._environ.get("PATH", os.defpath))
        if found is None:
            return 127, f"{words[0]}: not found"
        try:
            done = subprocess.run(  # noqa: S603 - our own words, no shell
                [found, *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**self._environ, **(env or {})}, timeout=COMMAND_DEADLINE_S, check=False, cwd="/",
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return 126, str(error)
        return done.returncode, done.stdout.decode(errors="replace")

    def _moves(self, what: str) -> bool:
        self._say(f"would {what}" if self.dry_run else what)
        return not self.dry_run
