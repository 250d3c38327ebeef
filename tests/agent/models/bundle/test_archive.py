"""The archive of a bundle: any zip tool reads it, and nothing but what was packed is read by us."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from agent.models.bundle.archive import open_archive
from agent.models.bundle.archive_writing import write_archive
from agent.models.bundle.fault import FaultError
from agent.models.bundle.zip_layout import MOST_PARTS

PARTS = {"manifest.json": b"{}", "fp32/m.onnx": b"weights" * 50, "empty": b"", "labels.txt": b"red\nblue\n"}


def packed(parts: dict[str, bytes] = PARTS) -> bytes:
    """An archive as we write it."""
    with io.BytesIO() as file:
        write_archive(file, parts)
        return file.getvalue()


def read_all(content: bytes) -> dict[str, bytes]:
    """Every part, as a bundle's reader gets it."""
    with io.BytesIO(content) as file:
        archive = open_archive(file)
        digests = {name: hashlib.sha256(PARTS.get(name, b"")).hexdigest() for name in archive.entries}
        return {name: archive.read(name, digests[name], 1000) for name in archive.entries}


def test_what_is_packed_comes_out() -> None:
    """Every part in its order, by our own reader and by the standard library's."""
    content = packed()

    assert list(read_all(content).items()) == list(PARTS.items())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == PARTS
        assert archive.comment == b"sha256:" + hashlib.sha256(b"{}").hexdigest().encode()


def test_packing_again_gives_the_same_bytes() -> None:
    """No time, no user, no machine is in it."""
    assert packed() == packed()


def test_no_bit_may_be_another() -> None:
    """Each bit of each byte, of contents, records and comment; but the comment's, which is the manifest's digest."""
    content = packed()
    for place in range(8 * len(content) - 8 * 64):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(FaultError):
            assert read_all(bytes(changed)) is None, place


@pytest.mark.parametrize("cut", [0, 1, 22, 92, 93, 200])
def test_no_byte_may_be_missing(cut: int) -> None:
    """Cut short at either end, or with more behind it."""
    content = packed()
    for changed in (content[: len(content) - cut - 1], content[cut + 1 :], content + b"\0" * (cut + 1), b""):
        with pytest.raises(FaultError):
            read_all(changed)


def zipped(fill: Callable[[zipfile.ZipFile], object]) -> bytes:
    """An archive of the standard library, with the comment that a bundle has."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = b"sha256:" + b"0" * 64
            fill(archive)
        return file.getvalue()


def _named(name: str) -> Callable[[zipfile.ZipFile], object]:
    return lambda archive: archive.writestr(name, b"x")


def _link(archive: zipfile.ZipFile) -> None:
    link = zipfile.ZipInfo("labels.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(link, b"/etc/passwd")


def _bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("fp32/m.onnx", bytes(50_000_000), compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("fill", "told"),
    [
        (_named("../evil"), "a part is called '../evil', which is no plain name inside the bundle"),
        (_named("/etc/evil"), "a part is called '/etc/evil'"),
        (_named("a/../../evil"), "a part is called 'a/../../evil'"),
        (_named("C:evil"), "a part is called 'C:evil'"),
        (_named("a\\..\\evil"), "a part is called"),
        (_named("folder/"), "a part is called 'folder/'"),
        (_named("a/b/c/d"), "a part is called 'a/b/c/d'"),
        (_named("ключ"), "a part is called"),
        (_named("n" * 5000), "a part is called"),
        (_link, "labels.txt is a symbolic link"),
        (_bomb, "bytes that would become 50000000); the parts of a bundle are stored"),
        (lambda a: [a.writestr("a", b"1"), a.writestr("a", b"2")], "'a' is in it twice"),
        (lambda a: [a.writestr("a", b"1"), a.writestr("A", b"2")], "'A' is in it twice"),
        (
            lambda a: [a.writestr(str(n), b"") for n in range(MOST_PARTS + 1)],
            "it claims to have 65 parts; a bundle has at most 64",
        ),
        (lambda a: a.writestr("m", b"x"), "the record of m in its directory is not as packed"),
    ],
)
def test_tricks_of_archives(fill: Callable[[zipfile.ZipFile], object], told: str) -> None:
    """Each is refused by what it is; nothing is unpacked, nothing inflated."""
    with pytest.raises(FaultError) as caught:
        read_all(zipped(fill))
    assert told in str(caught.value)


def test_encrypted_parts() -> None:
    """Told as such, by the flag that says so."""
    content = bytearray(packed({"a": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(FaultError, match=r"^a is encrypted"):
        read_all(bytes(content))


def test_parts_that_overlap() -> None:
    """Many names for the same bytes are how a small archive becomes a large one."""
    content = bytearray(packed({"a": b"x" * 100, "b": b"x" * 100}))
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = struct.pack("<I", 0)

    with pytest.raises(FaultError, match="does not lie where the part before it ends"):
        read_all(bytes(content))


def test_other_files(tmp_path: Path) -> None:
    """What it is instead, as far as that can be told."""
    plain = tmp_path / "a.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a", b"x")

    with pytest.raises(FaultError, match=r"^this is a zip archive, but no bundle, or it was cut short or changed$"):
        read_all(plain.read_bytes())
    with pytest.raises(FaultError, match=r"^this is no bundle, or it was cut short or changed$"):
        read_all(bytes(200))


def test_limits_hold_for_the_writer_too() -> None:
    """It writes nothing that the reader would refuse."""
    for parts in ({"../a": b""}, {str(number): b"" for number in range(MOST_PARTS + 1)}):
        with pytest.raises(FaultError):
            packed(parts)


def test_a_part_is_not_read_beyond_its_limit() -> None:
    """Nor one that is not there."""
    with io.BytesIO(packed()) as file:
        archive = open_archive(file)
        with pytest.raises(FaultError, match="has 350 bytes; at most 100 are read"):
            archive.read("fp32/m.onnx", "", 100)
        with pytest.raises(FaultError, match="other is missing"):
            archive.read("other", "", 100)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """Bytes are held against their digest each time they are read."""
    path = tmp_path / "a.swmodel"
    path.write_bytes(packed())
    digest = hashlib.sha256(PARTS["labels.txt"]).hexdigest()
    with path.open("rb", buffering=0) as file:
        archive = open_archive(cast("BinaryIO", file))
        path.write_bytes(packed().replace(b"red\n", b"ros\n"))
        with pytest.raises(FaultError, match="is not what was packed"):
            archive.read("labels.txt", digest, 100)
        path.write_bytes(packed()[:100])
        with pytest.raises(FaultError, match="was cut short while it was read"):
            archive.read("labels.txt", digest, 100)
