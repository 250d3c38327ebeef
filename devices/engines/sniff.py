"""Tells from a file's first bytes what it is, so that a wrong file is refused by name and not by a parser."""

from __future__ import annotations

from pathlib import Path

from devices.errors import ModelFileError

HEAD_BYTES = 4096

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x89HDF", "an HDF5 file (Keras)"),
    (0, b"ftrt", "a TensorRT plan"),
    (0, b"ptrt", "a TensorRT plan"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"\x7fELF", "a program"),
    (0, b"%PDF", "a PDF document"),
    (0, b"7767517", "an ncnn model"),
    (0, b"version https://git-lfs", "a Git LFS pointer: the model itself was not fetched (git lfs pull)"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (4, b"ORTM", "a model in ONNX Runtime's own format"),
)


def read_model_bytes(path: Path) -> bytes:
    """The whole of a file that may be an ONNX model.

    Raises:
        ModelFileError: it is missing, unreadable, empty, or something else; the sentence says what.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file; an ONNX model is needed") from error
    except IsADirectoryError as error:
        raise ModelFileError(f"{path}: a folder, not a file; {_NEEDED}") from error
    except PermissionError as error:
        raise ModelFileError(f"{path}: may not be read by this user; check its owner and mode") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise ModelFileError(f"{path}: the file is empty; {_NEEDED}")
    if found := foreign_format(content[:HEAD_BYTES]):
        raise ModelFileError(f"{path}: this is {found}; {_NEEDED}")
    return content


def foreign_format(head: bytes) -> str | None:
    """What a file beginning with `head` is, in words, or None where it may be ONNX."""
    for offset, magic, found in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return found
    if head.startswith(b"PK\x03\x04"):
        return "a PyTorch checkpoint" if b"data.pkl" in head else "a zip archive (PyTorch, Core ML or other)"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle (an old PyTorch checkpoint, perhaps)"
    if head[8:9] == b"{" and head[1:8].endswith(b"\0\0\0\0"):
        return "a safetensors file: weights without their graph"
    return _text_format(head)


def _text_format(head: bytes) -> str | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page: the download went to a web page instead of the file"
    if start.startswith((b"<?xml", b"<net")):
        return "an OpenVINO model description (XML)" if b"<net" in start else "an XML file"
    if all(byte in b"\t\r\n" or byte >= 0x20 for byte in head) and _is_utf8(head):
        return "a text file"
    return None


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two by the end of the head
    return True


_NEEDED = "an ONNX model (.onnx) is needed"
