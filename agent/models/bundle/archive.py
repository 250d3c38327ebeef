"""Reads a bundle's archive, strictly: what `write_archive` would not have written is refused, with what it is."""

from __future__ import annotations

import hashlib
import re
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from agent.models.bundle.fault import FaultError
from agent.models.bundle.zip_layout import (
    CENTRAL_BYTES,
    COMMENT_BYTES,
    COMMENT_PREFIX,
    END_BYTES,
    LARGEST_BYTES,
    LOCAL_SIGNATURE,
    LONGEST_NAME,
    MOST_PARTS,
    End,
    Entry,
    Flag,
    Listed,
    read_listed,
)

BLOCK_BYTES = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,2}")
CHANGED = "a byte was changed, or another program packed it; pack it anew with `sitewatch model pack`"


class Archive:
    """The parts of an open file. Nothing is taken out of it that its directory and its digest do not vouch for."""

    def __init__(self, file: BinaryIO, entries: dict[str, Entry], first_sha256: str) -> None:
        """As `open_archive` makes it.

        Args:
            file: open for reading; the caller closes it.
            entries: the parts by name, in their order.
            first_sha256: of the first part, as the archive's comment has it.
        """
        self._file = file
        self.entries = entries
        self.first_sha256 = first_sha256

    def read(self, name: str, sha256: str, most_bytes: int) -> bytes:
        """A whole part.

        Raises:
            FaultError: it is not there, larger than that, or not what it was when it was packed.
        """
        if self._entry(name).size > most_bytes:
            raise FaultError(f"{name} has {self._entry(name).size} bytes; at most {most_bytes} are read")
        return b"".join(self.blocks(name, sha256))

    def blocks(self, name: str, sha256: str) -> Iterator[bytes]:
        """A part piece by piece; believe none of them before the last came without an error.

        Raises:
            FaultError: it is not there, or not what it was when it was packed.
        """
        entry = self._entry(name)
        digest, crc, left = hashlib.sha256(), 0, entry.size
        self._file.seek(entry.content_offset)
        while left:
            block = self._file.read(min(left, BLOCK_BYTES))
            if not block:
                raise FaultError(f"{name} was cut short while it was read")
            digest.update(block)
            crc = zlib.crc32(block, crc)
            left -= len(block)
            yield block
        if digest.hexdigest() != sha256:
            raise FaultError(f"{name} is not what was packed (its SHA-256 differs): {CHANGED}")
        if crc != entry.crc:
            raise FaultError(f"the checksum of {name} is wrong: {CHANGED}")

    def _entry(self, name: str) -> Entry:
        if name not in self.entries:
            raise FaultError(f"{name} is missing")
        return self.entries[name]


def open_archive(file: BinaryIO) -> Archive:
    """The archive in an open file; looks at every byte that is no part's content.

    Raises:
        FaultError: it is no bundle's archive; the sentence says what is wrong.
    """
    size = file.seek(0, 2)
    if size > LARGEST_BYTES:
        raise FaultError(f"{size} bytes are too many for a bundle; at most {LARGEST_BYTES} are read")
    end, comment = _end(file, size)
    file.seek(end.directory_offset)
    directory = file.read(end.directory_bytes)
    entries = _entries(directory, end.count)
    _refuse_gaps(file, entries, end.directory_offset)
    first = comment[len(COMMENT_PREFIX) :].decode("ascii")
    return Archive(file, {entry.name: entry for entry in entries}, first)


def _end(file: BinaryIO, size: int) -> tuple[End, bytes]:
    """The last record and the comment, both exactly where they must be."""
    file.seek(0)
    is_zip = file.read(4) == LOCAL_SIGNATURE
    file.seek(max(0, size - END_BYTES - COMMENT_BYTES))
    tail = file.read(END_BYTES + COMMENT_BYTES)
    end, comment = End.read(tail[:END_BYTES]), tail[END_BYTES:]
    if end is None or re.fullmatch(COMMENT_PREFIX + rb"[0-9a-f]{64}", comment) is None:
        what = "a zip archive, but no bundle" if is_zip else "no bundle"
        raise FaultError(f"this is {what}, or it was cut short or changed")
    if end.count > MOST_PARTS:
        raise FaultError(f"it claims to have {end.count} parts; a bundle has at most {MOST_PARTS}")
    directory_end = size - len(tail)
    is_there = end.directory_offset + end.directory_bytes == directory_end
    if (
        not is_there
        or end.directory_bytes > MOST_PARTS * (CENTRAL_BYTES + LONGEST_NAME)
        or end.packed() != tail[:END_BYTES]
    ):
        raise FaultError(f"its directory is not where it must be: {CHANGED}")
    return end, comment


def _entries(directory: bytes, count: int) -> list[Entry]:
    """The parts, each a plain, stored file of a name of its own; what they are not is told before what changed."""
    listed = _listed(directory, count)
    names: set[str] = set()
    for each in listed:
        _refuse_name(each.shown, names)
        _refuse_trick(each)
        names.add(each.shown.lower())
    entries = [Entry(each.shown, each.offset, each.size, each.crc) for each in listed]
    for entry, each in zip(entries, listed, strict=True):
        if entry.central() != each.record:
            raise FaultError(f"the record of {entry.name} in its directory is not as packed: {CHANGED}")
    return entries


def _listed(directory: bytes, count: int) -> list[Listed]:
    found: list[Listed] = []
    at = 0
    for _ in range(count):
        listed = read_listed(directory, at)
        if listed is None:
            raise FaultError(f"its directory is damaged: {CHANGED}")
        found.append(listed)
        at += len(listed.record)
    if at != len(directory):
        raise FaultError(f"its directory has more in it than parts: {CHANGED}")
    return found


def _refuse_name(name: str, taken: set[str]) -> None:
    """A name must be safe as a path below a folder, and be there once, capital letters or not."""
    shown = repr(name[:LONGEST_NAME])
    if len(name) > LONGEST_NAME or NAME.fullmatch(name) is None:
        raise FaultError(f"a part is called {shown}, which is no plain name inside the bundle; nothing is unpacked")
    if name.lower() in taken:
        raise FaultError(f"{shown} is in it twice, so that nobody can tell which is meant")


def _refuse_trick(listed: Listed) -> None:
    name = listed.shown
    if listed.flags & Flag.ENCRYPTED:
        raise FaultError(f"{name} is encrypted; the parts of a bundle are not")
    if stat.S_ISLNK(listed.unix_mode):
        raise FaultError(f"{name} is a symbolic link; the parts of a bundle are plain files")
    if listed.method or listed.packed != listed.size:
        raise FaultError(
            f"{name} is compressed ({listed.packed} bytes that would become {listed.size}); "
            "the parts of a bundle are stored as they are"
        )


def _refuse_gaps(file: BinaryIO, entries: list[Entry], directory_offset: int) -> None:
    """Every part begins where the one before ends: nothing between them, and none inside another."""
    at = 0
    for entry in entries:
        if entry.offset != at or entry.end > directory_offset:
            raise FaultError(f"{entry.name} does not lie where the part before it ends: {CHANGED}")
        file.seek(entry.offset)
        if file.read(len(entry.local())) != entry.local():
            raise FaultError(f"the record in front of {entry.name} is not as packed: {CHANGED}")
        at = entry.end
    if at != directory_offset:
        raise FaultError(f"there is something behind its last part: {CHANGED}")
