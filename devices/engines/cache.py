"""Keeps compiled engines on disk: found again by everything that shaped them, and never trusted without a checksum.

OpenVINO's own cache loads a file whose weights were damaged and answers nonsense; this one rebuilds instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from devices.engines.file_lock import file_lock
from devices.engines.whole_file import write_whole
from devices.errors import DevicesError

LoadedT = TypeVar("LoadedT")
MAX_BYTES = 4 * 1024**3


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

    @property
    def purpose(self) -> EngineKey:
        """What the engine is for: the key without what an update of the system changes."""
        return replace(self, runtime_version="", driver=None)


@dataclass(frozen=True)
class Built(Generic[LoadedT]):
    """A fresh engine.

    Attributes:
        loaded: ready to be used.
        content: the file to keep.
        log: what the run-time told while building.
    """

    loaded: LoadedT
    content: bytes
    log: str = ""


@dataclass(frozen=True)
class Ready(Generic[LoadedT]):
    """An engine ready to be used, and what a person should know of how it came to be."""

    loaded: LoadedT
    note: str


class EngineCache:
    """A folder of engines; several processes may share it, as files appear whole or not at all."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES, now_s: Callable[[], float] = time.time) -> None:
        """Nothing is read or made yet.

        Args:
            folder: where engines lie, each with a record beside it.
            max_bytes: of all engines together; beyond it those unused for longest go first.
            now_s: wall time, for the order of use.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._now_s = now_s

    def ready(
        self, key: EngineKey, load: Callable[[bytes], LoadedT | None], build: Callable[[], Built[LoadedT]]
    ) -> Ready[LoadedT]:
        """The engine of this key, from disk where it is there and loads, else built, by one process at a time.

        Args:
            key: everything that shapes it.
            load: makes it of its file; None where the run-time does not take the file after all.
            build: makes it anew.

        Raises:
            DevicesError: it cannot be built, and no earlier one that served the same purpose loads.
        """
        if (kept := self._loaded(key, load)) is not None:
            return Ready(kept, "taken from the engine cache")
        with self._alone(key):
            if (kept := self._loaded(key, load)) is not None:  # another process built it meanwhile
                return Ready(kept, "taken from the engine cache")
            try:
                built = build()
            except DevicesError as error:
                return self._previous(key, load, error)
            return Ready(built.loaded, self._kept_or_why(key, built))

    def find(self, key: EngineKey) -> bytes | None:
        """The engine kept under this key, or None where there is none that is whole."""
        content = self._whole(self._record(key), asdict(key))
        if content is not None:
            self._touch(key)
        return content

    def keep(self, key: EngineKey, content: bytes, log: str = "") -> None:
        """Keep an engine, in place of any other under this key, and make room for it.

        Raises:
            OSError: the folder cannot be made or written; the engine at hand still works.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._content(key), content)
        record = {"key": asdict(key), "content_sha256": _digest(content), "built_at": self._now_s(), "log": log}
        write_whole(self._record(key), json.dumps(record, indent=1).encode())
        self._touch(key)
        self._make_room(spared=self._content(key))

    def _loaded(self, key: EngineKey, load: Callable[[bytes], LoadedT | None]) -> LoadedT | None:
        content = self.find(key)
        return None if content is None else load(content)

    def _kept_or_why(self, key: EngineKey, built: Built[Any]) -> str:
        try:
            self.keep(key, built.content, built.log)
        except OSError as error:
            return f"not kept in the engine cache {self._folder}: {error.strerror}"
        return "kept in the engine cache"

    def _previous(self, key: EngineKey, load: Callable[[bytes], LoadedT | None], error: DevicesError) -> Ready[LoadedT]:
        """The last good engine for the same purpose, where one loads; else the error of the build."""
        for record in self._records_for(key.purpose):
            content = self._whole(record, None)
            loaded = None if content is None else load(content)
            if loaded is not None:
                return Ready(loaded, f"an earlier engine is used, as a new one cannot be built: {error}")
        raise error

    def _records_for(self, purpose: EngineKey) -> Iterator[Path]:
        """Records of engines for this purpose, the newest first."""
        found: list[tuple[float, Path]] = []
        for path in self._folder.glob("*.json"):
            record = _read(path)
            try:
                if EngineKey(**record["key"]).purpose == purpose:
                    found.append((float(record["built_at"]), path))
            except (KeyError, TypeError, ValueError):
                continue  # of another release, or damaged
        return iter(path for _, path in sorted(found, reverse=True))

    def _whole(self, record_path: Path, key: dict[str, Any] | None) -> bytes | None:
        """An engine's file where its record has this key (None: any) and its checksum."""
        record = _read(record_path)
        try:
            content = record_path.with_suffix(".engine").read_bytes()
        except OSError:
            return None
        is_right = key is None or record.get("key") == key
        return content if is_right and record.get("content_sha256") == _digest(content) else None

    def _make_room(self, spared: Path) -> None:
        """Remove engines, those unused for longest first, until the rest fits."""
        files = [(path.stat(), path) for path in self._folder.glob("*.engine")]
        total = sum(facts.st_size for facts, _ in files)
        for facts, path in sorted(files, key=lambda each: each[0].st_mtime):
            if total <= self._max_bytes:
                return
            if path != spared:
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)
                total -= facts.st_size

    def _touch(self, key: EngineKey) -> None:
        """Note that it was used; a folder that cannot be written is no reason not to use it."""
        now_s = self._now_s()
        with suppress(OSError):
            os.utime(self._content(key), (now_s, now_s))

    @contextmanager
    def _alone(self, key: EngineKey) -> Iterator[None]:
        """Hold the key's lock, so that two agents do not build twice; without one where the folder is read-only."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = file_lock(self._folder / f"{key.digest}.lock")
        except OSError:
            yield
            return
        with lock:
            yield

    def _content(self, key: EngineKey) -> Path:
        return self._folder / f"{key.digest}.engine"

    def _record(self, key: EngineKey) -> Path:
        return self._folder / f"{key.digest}.json"


def _read(path: Path) -> dict[str, Any]:
    """A record, or an empty one where there is none to read."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
