"""Keeps compiled engines on disk: found again by everything that shaped them, and never trusted without a checksum.

OpenVINO's own cache loads a file whose weights were damaged and answers nonsense; this one rebuilds instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class EngineKey:
    """Everything that shapes a compiled engine; equal keys mean the same engine.

    Attributes:
        model_sha256: of the model, weights included.
        runtime, runtime_version: what compiled it.
        accelerator: family, name and capability of the device, as one text.
        driver: of the device, or None.
        precision: of the computation.
        inputs: names, dtypes and shapes as fed, as one text.
        options: every other setting given to the run-time, as one text.
    """

    model_sha256: str
    runtime: str
    runtime_version: str
    accelerator: str
    driver: str | None
    precision: str
    inputs: str
    options: str

    @property
    def digest(self) -> str:
        """A file name of its own for every key."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class EngineCache:
    """A folder of engines; several processes may share it, as files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: EngineKey) -> bytes | None:
        """The engine kept under this key, or None where there is none that is whole."""
        try:
            record = json.loads(self._record(key).read_bytes())
            content = self._content(key).read_bytes()
        except (OSError, ValueError):
            return None
        return content if record == _record(key, content) else None

    def keep(self, key: EngineKey, content: bytes) -> None:
        """Keep an engine, in place of any other under this key.

        Raises:
            OSError: the folder cannot be made or written; the engine at hand still works.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        _write_whole(self._content(key), content)
        _write_whole(self._record(key), json.dumps(_record(key, content), indent=1).encode())

    def _content(self, key: EngineKey) -> Path:
        return self._folder / f"{key.digest}.engine"

    def _record(self, key: EngineKey) -> Path:
        return self._folder / f"{key.digest}.json"


def _record(key: EngineKey, content: bytes) -> dict[str, Any]:
    return {"key": asdict(key), "content_sha256": hashlib.sha256(content).hexdigest()}


def _write_whole(path: Path, content: bytes) -> None:
    """Under a temporary name, on the disk for sure, then renamed: a reader never sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
