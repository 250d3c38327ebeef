"""Writes a bundle's archive; the same parts give the same bytes, wherever and whenever."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from agent.models.bundle.archive import NAME
from agent.models.bundle.fault import FaultError
from agent.models.bundle.zip_layout import COMMENT_PREFIX, LARGEST_BYTES, LONGEST_NAME, MOST_PARTS, End, Entry


def write_archive(file: BinaryIO, parts: Mapping[str, bytes]) -> None:
    """Write the parts in their order; the first is the one that the comment has the SHA-256 of.

    Raises:
        FaultError: they cannot be an archive: too many, too large, or a name that is no plain one.
        OSError: the file cannot be written.
    """
    entries: list[Entry] = []
    for name, content in parts.items():
        if len(name) > LONGEST_NAME or NAME.fullmatch(name) is None:
            raise FaultError(f"{name!r} cannot be the name of a part")
        entries.append(Entry(name, entries[-1].end if entries else 0, len(content), zlib.crc32(content)))
    directory = b"".join(entry.central() for entry in _within_limits(entries))
    for entry in entries:
        file.write(entry.local())
        file.write(parts[entry.name])
    file.write(directory)
    file.write(End(len(entries), len(directory), entries[-1].end if entries else 0).packed())
    first = hashlib.sha256(next(iter(parts.values()), b"")).hexdigest()
    file.write(COMMENT_PREFIX + first.encode("ascii"))


def _within_limits(entries: list[Entry]) -> list[Entry]:
    if len(entries) > MOST_PARTS:
        raise FaultError(f"{len(entries)} parts are too many for a bundle; it has at most {MOST_PARTS}")
    if entries and entries[-1].end > LARGEST_BYTES - MOST_PARTS * 1024:
        raise FaultError(f"together they have {entries[-1].end} bytes; a bundle has less than 4 GiB")
    return entries
