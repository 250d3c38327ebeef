"""The locks pin everything that pyproject.toml asks for, with hashes, and nothing of one machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from architecture.sources import REPOSITORY
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Lock: the extras it holds.
LOCKS = {
    "base": (),
    "demo": ("demo",),
    "evaluation": ("evaluation",),
    "intel": ("intel",),
    "apple": ("apple",),
    "nvidia": ("nvidia",),
    "remote": ("remote",),
    "serve": ("serve",),
    "tools": ("tools",),
    "test": ("demo", "intel", "remote", "evaluation", "serve", "tools", "test"),
}
# Not for where the agent is: other packages' trackers, timed beside ours; what tests run in environments of their own.
APART = ("peers", "coreml", "export", "mlserver", "torchserve", "triton")


def pins(lock: str) -> dict[str, set[str]]:
    """Name to versions; more than one where they differ by Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text(lock), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def text(lock: str) -> str:
    """The lock as it is."""
    return (REPOSITORY / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for, the build backend included."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    optional = project["project"]["optional-dependencies"]
    lines = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    return [Requirement(line) for line in [*lines, *(line for extra in extras for line in optional[extra])]]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_is_asked_for(lock: str) -> None:
    """Every dependency is there, in a version that pyproject.toml allows; otherwise run scripts/lock."""
    pinned = pins(lock)
    for requirement in wanted(LOCKS[lock]):
        versions = pinned.get(canonicalize_name(requirement.name), set())

        assert versions, f"{requirement.name} is not in {lock}.lock"
        assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("lock", [*LOCKS, *APART])
def test_a_lock_has_hashes_and_names_no_place(lock: str) -> None:
    """Each pin carries hashes; no index, address or folder of one machine is in it."""
    words = text(lock)
    entries = re.split(r"^(?=[A-Za-z0-9])", words, flags=re.MULTILINE)[1:]

    assert len(entries) > (20 if lock in LOCKS else 2)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--index|--find-links|file:|^-e|\s/", words, re.MULTILINE)


@pytest.mark.parametrize("lock", sorted(set(LOCKS) - {"test"}))
def test_one_version_serves_all(lock: str) -> None:
    """What two locks both pin, they pin alike, so the tests run what a site runs."""
    tested = pins("test")

    assert {name: v for name, v in pins(lock).items() if name in tested and not v <= tested[name]} == {}


def test_nothing_locked_brings_our_names_or_a_second_opencv() -> None:
    """No distribution overwrites our packages, or the headless OpenCV."""
    for lock in LOCKS:
        assert not {"agent", "devices", "trackers", "opencv-python", "opencv-contrib-python"} & set(pins(lock))


def test_every_lock_is_tested() -> None:
    """A new lock has a row above."""
    assert {path.stem for path in Path(REPOSITORY, "requirements").glob("*.lock")} == {*LOCKS, *APART}
