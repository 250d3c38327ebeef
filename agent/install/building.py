"""Builds a release: its environment, the pinned packages with their hashes, ours, and the units and example."""

from __future__ import annotations

from pathlib import Path

from agent.install.hands import Hands
from agent.install.layout import SHARE, Layout
from agent.install.locks import for_jetson
from agent.install.release import STAMP, Source, folder_for, is_finished, stamp_text

PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--no-deps")
SHARED = ("systemd", "config")
# Where JetPack puts the CUDA compiler that pycuda is built with.
CUDA_BIN = "/usr/local/cuda/bin"
INSTEAD_ON_JETSON = "jetson.txt"


def build(source: Source, releases: Path, hands: Hands, layout: Layout) -> Path:
    """The finished release's folder; one that is already there is left as it is.

    Raises:
        InstallError: a step failed. What was made so far has no stamp, and the next build begins anew.
    """
    folder = folder_for(releases, source)
    if is_finished(folder, source.fingerprint):
        hands.say(f"release {folder.name} is there already")
        return folder
    hands.remove(folder)
    _make_environment(source, folder, hands)
    _install(source, folder, hands)
    for name in SHARED:
        hands.copy_tree(source.tree / name, folder / SHARE / name)
    hands.write(folder / SHARE / "README.md", (source.tree / "README.md").read_text(encoding="utf-8"))
    hands.run(folder / "bin" / "python", "-I", "-m", "agent", "version")
    if layout.is_staged and not hands.dry_run:
        _name_for_the_box(folder, layout)
    hands.write(folder / STAMP, stamp_text(source))
    return folder


def _make_environment(source: Source, folder: Path, hands: Hands) -> None:
    hands.folder(folder.parent)
    system_packages = ("--system-site-packages",) if source.is_jetson else ()
    hands.run(source.python[0], "-m", "venv", *system_packages, folder)


def _install(source: Source, folder: Path, hands: Hands) -> None:
    python = folder / "bin" / "python"
    for lock in source.locks:
        hands.run(python, *PIP, "--require-hashes", "--requirement", _lock_for(source, lock, folder, hands))
    packages = source.tree if source.wheel is None else source.wheel
    hands.run(python, *PIP, "--no-build-isolation", "--no-index", packages)


def _lock_for(source: Source, lock: Path, folder: Path, hands: Hands) -> Path:
    """The lock as it is, or a copy for a Jetson."""
    if not source.is_jetson:
        return lock
    instead = (lock.parent / INSTEAD_ON_JETSON).read_text(encoding="utf-8")
    copy = folder / f"{lock.stem}-jetson.lock"
    hands.write(copy, for_jetson(lock.read_text(encoding="utf-8"), instead))
    return copy


def _name_for_the_box(folder: Path, layout: Layout) -> None:
    """An environment writes its own path into its scripts; under a staging root that is not what it is called later."""
    here, there = str(folder), str(layout.boxed(folder))
    for path in (*(folder / "bin").iterdir(), folder / "pyvenv.cfg"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content and here.encode() in content:
            path.write_bytes(content.replace(here.encode(), there.encode()))
