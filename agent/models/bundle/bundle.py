"""A bundle on the disk, opened: every byte of it was looked at, and every part is what its digest says."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ModelError
from agent.models.bundle.archive import Archive, open_archive
from agent.models.bundle.arrays import Pictures, read_array
from agent.models.bundle.fault import FaultError
from agent.models.bundle.golden_parts import read_found
from agent.models.bundle.manifest import LARGEST_MANIFEST_BYTES, MANIFEST, Manifest, PackedModel, read_manifest
from agent.models.bundle.zip_layout import LOCAL_BYTES, LOCAL_SIGNATURE
from trackers import Detections

SUFFIX = ".swmodel"
LARGEST_LABELS_BYTES = 1_000_000
LARGEST_TEXT_BYTES = 4 << 20
LARGEST_PICTURES_BYTES = 64 << 20


def is_bundle(path: Path) -> bool:
    """Whether a file is meant to be a bundle: by its ending, or because its first part is a manifest.

    What cannot be read is none; whoever wants to read it tells why.
    """
    if path.suffix.lower() == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(LOCAL_BYTES + len(MANIFEST))
    except OSError:
        return False
    return head.startswith(LOCAL_SIGNATURE) and head[LOCAL_BYTES:] == MANIFEST.encode("ascii")


@dataclass(frozen=True, eq=False)
class Bundle:
    """An open bundle; whatever is read from it is held against its digest once more, as the file may change.

    Attributes:
        path: of the file.
        sha256: of the manifest, and so of everything in it.
        manifest: what it says of itself.
        size: of the file in bytes.
    """

    path: Path
    sha256: str
    manifest: Manifest
    size: int
    _archive: Archive

    def read(self, name: str, most_bytes: int) -> bytes:
        """A small part.

        Raises:
            ModelError: it is too large, or has changed.
        """
        with _named(self.path), _readable(self.path):
            return self._archive.read(name, self.manifest.parts[name].sha256, most_bytes)

    def picture(self, name: str) -> Pictures:
        """A golden picture: uint8 (height, width, 3) BGR.

        Raises:
            ModelError: it is none.
        """
        with _named(self.path):
            return read_array(self.read(name, LARGEST_PICTURES_BYTES), name, axes=3)

    def pictures(self) -> tuple[Pictures, ...]:
        """All golden pictures.

        Raises:
            ModelError: one is none, or together they are too large to be kept in memory.
        """
        names = self.manifest.pictures
        size = sum(self.manifest.parts[name].size for name in names)
        if size > LARGEST_PICTURES_BYTES:
            raise ModelError(f"{self.path}: golden pictures of {size} bytes; at most {LARGEST_PICTURES_BYTES} are read")
        return tuple(self.picture(name) for name in names)

    def found(self, model: PackedModel) -> tuple[Detections, ...]:
        """What a model finds in each golden picture, in its pixels.

        Raises:
            ModelError: it is not told in a way that can be read.
        """
        content = self.read(model.golden, LARGEST_TEXT_BYTES)
        with _named(self.path):
            return read_found(content, model.golden, len(self.manifest.pictures))

    def copy_out(self, name: str, to: Path) -> None:
        """Write a part to a file, whole or not at all.

        Raises:
            ModelError: it has changed.
            OSError: the file cannot be written, or the bundle not be read.
        """
        handle, written = tempfile.mkstemp(dir=to.parent, prefix=to.name)
        temporary = Path(written)
        try:
            with os.fdopen(handle, "wb") as file, _named(self.path):
                file.writelines(self._archive.blocks(name, self.manifest.parts[name].sha256))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(to)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Open a bundle and look at every byte of it.

    Raises:
        ModelError: it cannot be read, or is not wholly what was packed; the sentence says what is wrong.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        with _named(path), _readable(path):
            archive = open_archive(file)
            content = archive.read(MANIFEST, archive.first_sha256, LARGEST_MANIFEST_BYTES)
            manifest = read_manifest(content)
            _refuse_other_parts(archive, manifest)
            for name, part in manifest.parts.items():
                deque(archive.blocks(name, part.sha256), maxlen=0)  # read to the end, keep nothing
        yield Bundle(path, archive.first_sha256, manifest, os.fstat(file.fileno()).st_size, archive)


def _refuse_other_parts(archive: Archive, manifest: Manifest) -> None:
    """The archive has the parts of the manifest, in their order, and no others."""
    there = list(archive.entries)
    if there[:1] != [MANIFEST]:
        raise FaultError(f"its first part is not {MANIFEST}")
    wanted = [MANIFEST, *manifest.parts]
    if missing := [name for name in wanted if name not in archive.entries]:
        raise FaultError(f"{missing[0]} is missing")
    if others := [name for name in there if name not in wanted]:
        raise FaultError(f"{others[0]} is in it and not in its {MANIFEST}")
    if there != wanted:
        raise FaultError(f"its parts are in another order than in its {MANIFEST}")
    for name, part in manifest.parts.items():
        if archive.entries[name].size != part.size:
            raise FaultError(f"{name} has {archive.entries[name].size} bytes, and {MANIFEST} says {part.size}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Faults become errors that name the file."""
    try:
        yield
    except FaultError as error:
        raise ModelError(f"{path}: {error}") from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
