"""How a trial's child process is asked; tensors go there and back as NumPy archives."""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from devices.engines.engine import BuildWatch, EngineRequest, Tensors

# What NumPy and its parts raise of an archive that is none, or was changed: no list of theirs says so.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, AttributeError, RuntimeError, LookupError, TypeError,
    SyntaxError, OverflowError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What the child is asked.

    Attributes:
        runtime: name in the catalogue.
        request: what to make ready.
        inferences: how many are timed.
        questions: archive of the tensors to ask with.
        answers: archive to be written.
    """

    runtime: str
    request: EngineRequest
    inferences: int
    questions: Path
    answers: Path

    def sealed(self) -> bytes:
        """For the child; who watches the build stays behind, and the child is isolation enough."""
        request = self.request
        build = BuildWatch(deadline_s=request.build.deadline_s)
        worker = replace(request.worker, is_isolated=False)
        return pickle.dumps(replace(self, request=replace(request, build=build, worker=worker)))


def opened(content: bytes) -> Question:
    """The question of `sealed`. Only for what our own parent process wrote."""
    question: Question = pickle.loads(content)  # noqa: S301 - it comes through a pipe of our own parent process
    return question


def write_tensors(path: Path, tensors: tuple[Tensors, ...]) -> None:
    """Several mappings of tensors as one archive."""
    arrays: dict[str, Any] = {
        f"{number}/{name}": array for number, each in enumerate(tensors) for name, array in each.items()
    }
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def read_tensors(path: Path) -> tuple[Tensors, ...]:
    """The mappings of `write_tensors`.

    Raises:
        OSError, ValueError: the archive is missing or damaged.
    """
    found: dict[int, Tensors] = {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            for key in archive.files:
                number, _, name = key.partition("/")
                found.setdefault(int(number), {})[name] = archive[key]
    except DAMAGED as error:
        raise ValueError(f"{path}: no whole archive") from error
    return tuple(found[number] for number in sorted(found))
