"""The records of a zip archive, as a bundle has them: everything but names, sizes and places is the same in all.

Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.4. Without zip64, so that an archive has less than 4 GiB.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

COMMENT_PREFIX = b"sha256:"
COMMENT_BYTES = len(COMMENT_PREFIX) + 64
LARGEST_BYTES = 0xFFFF_FFFE
MOST_PARTS = 64
LONGEST_NAME = 200

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES = _LOCAL.size, _CENTRAL.size, _END.size

# The first day that the format knows: packing the same twice gives the same bytes.
_TIME, _DATE = 0, 1 << 5 | 1
_NEEDS, _MADE_ON_UNIX = 10, 3 << 8 | 20
_PLAIN_FILE = 0o100644 << 16
_STORED = 0


class Flag(IntEnum):
    """Bits of a part's flags that a bundle never has, but somebody's archive may."""

    ENCRYPTED = 0x0001


@dataclass(frozen=True)
class Entry:
    """One part of an archive: where it begins, counted from the archive's beginning, its size and its CRC-32."""

    name: str
    offset: int
    size: int
    crc: int

    @property
    def content_offset(self) -> int:
        """Where its content begins."""
        return self.offset + LOCAL_BYTES + len(self.name)

    @property
    def end(self) -> int:
        """Where the next part begins."""
        return self.content_offset + self.size

    def local(self) -> bytes:
        """The record in front of its content."""
        name = self.name.encode("ascii")
        return _LOCAL.pack(
            LOCAL_SIGNATURE, _NEEDS, 0, _STORED, _TIME, _DATE, self.crc, self.size, self.size, len(name), 0
        ) + name  # fmt: skip

    def central(self) -> bytes:
        """Its record in the directory."""
        name = self.name.encode("ascii")
        return _CENTRAL.pack(
            CENTRAL_SIGNATURE, _MADE_ON_UNIX, _NEEDS, 0, _STORED, _TIME, _DATE, self.crc, self.size, self.size,
            len(name), 0, 0, 0, 0, _PLAIN_FILE, self.offset,
        ) + name  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """A directory's record as somebody's archive has it, to say what is wrong with it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    unix_mode: int
    offset: int
    record: bytes

    @property
    def shown(self) -> str:
        """The name, with a mark for every byte that ours cannot have."""
        return self.name.decode("ascii", "replace")


@dataclass(frozen=True)
class End:
    """The record at an archive's end: parts, bytes of the directory and where it begins."""

    count: int
    directory_bytes: int
    directory_offset: int

    def packed(self) -> bytes:
        """As it stands in the archive, the comment left out."""
        return _END.pack(
            END_SIGNATURE, 0, 0, self.count, self.count, self.directory_bytes, self.directory_offset, COMMENT_BYTES
        )

    @classmethod
    def read(cls, record: bytes) -> End | None:
        """The record, or None where it is none."""
        if len(record) != END_BYTES or record[:4] != END_SIGNATURE:
            return None
        _, _, _, _, count, size, offset, _ = _END.unpack(record)
        return cls(count, size, offset)


def read_listed(directory: bytes, at: int) -> Listed | None:
    """The record of the directory that begins here, or None where none does."""
    fixed = directory[at : at + CENTRAL_BYTES]
    if len(fixed) != CENTRAL_BYTES or fixed[:4] != CENTRAL_SIGNATURE:
        return None
    _, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, attributes, offset = _CENTRAL.unpack(
        fixed
    )
    end = at + CENTRAL_BYTES + name
    record = directory[at : end + extra + comment]
    return Listed(
        directory[at + CENTRAL_BYTES : end], flags, method, crc, packed, size, attributes >> 16, offset, record
    )
