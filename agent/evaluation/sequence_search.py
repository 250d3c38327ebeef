"""Finds sequences in folders, and names each so that a person knows it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.errors import SequenceError
from agent.evaluation.sequence import TRUTH_NAMES, truth_of

DEEPEST = 2


def find_sequences(folders: Iterable[Path]) -> dict[str, Path]:
    """Every folder with ground truth: those named, else those up to two levels below.

    Returns:
        Name to folder, in order of the folders and then of names. A name is the path below the folder that was given,
        or that folder's own; never one twice.

    Raises:
        SequenceError: a folder is not there or holds no sequence, or two sequences are called alike.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for given in folders:
        for folder in _sequences_of(given):
            if folder.resolve() in seen:
                continue
            seen.add(folder.resolve())
            name = folder.resolve().name if folder == given else folder.relative_to(given).as_posix()
            if name in found:
                raise SequenceError(f"{folder} and {found[name]} are both called {name}; evaluate them one by one")
            found[name] = folder
    return found


def _sequences_of(given: Path) -> list[Path]:
    if not given.is_dir():
        what = "is a file; name the folder that it is in" if given.exists() else "there is no such folder"
        raise SequenceError(f"{given}: {what}")
    found = list(_below(given, DEEPEST))
    if not found:
        raise SequenceError(
            f"{given}: no sequence in it or {DEEPEST} levels below; allowed is a folder with {' or '.join(TRUTH_NAMES)}"
        )
    return found


def _below(folder: Path, levels: int) -> Iterator[Path]:
    """A sequence itself, else those in it."""
    if truth_of(folder) is not None:
        yield folder
    elif levels:
        try:
            children = sorted(child for child in folder.iterdir() if child.is_dir() and child.name[0] != ".")
        except OSError as error:
            raise SequenceError(f"{folder} cannot be read: {error.strerror}") from error
        for child in children:
            yield from _below(child, levels - 1)
