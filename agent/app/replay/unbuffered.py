"""Bytes into an unbuffered file or pipe: all of them, or an error that names it."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from agent.errors import OutputError


def write_all(stream: FileIO, content: bytes, name: str | Path) -> None:
    """Write the content whole, however little the stream takes at once.

    Raises:
        OutputError: `name` cannot be written.
    """
    try:
        while content:
            content = content[stream.write(content) :]
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {error.strerror}") from error
