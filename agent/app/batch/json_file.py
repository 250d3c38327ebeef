"""Small JSON files that are there whole, and on the disk for sure, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from agent.app.model.export.result_file import ResultFile
from agent.errors import OutputError


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write it, readable for whoever may read the other results.

    Raises:
        OutputError: it cannot be written; what was there before still is.
    """
    with ResultFile(path) as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")


def sync(path: Path) -> None:
    """Have a file on the disk for sure.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
