"""`sitewatch model pack`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

from agent.app.model.pack.asked import asked_for
from agent.app.model.verify.findings import Finding, look_at
from agent.app.model.verify.report import as_json, as_text
from agent.app.quiet import quiet_libraries
from agent.app.replay.part_file import PartFile
from agent.app.saying import say
from agent.errors import OutputError, RefusedResultError
from agent.models.bundle.archive_writing import write_archive
from agent.models.bundle.bundle import SUFFIX
from agent.models.bundle.packing import Parts, make_parts
from agent.service.exit_codes import ExitCode


def main(options: argparse.Namespace) -> int:
    """Pack, verify what was packed as an agent would, and only then give it its name.

    Raises:
        SitewatchError: an input cannot be used, or the file not be written.
    """
    quiet_libraries()
    out: Path = options.out or options.models[0].with_suffix(SUFFIX)
    parts = make_parts(asked_for(options))
    file = PartFile(out)
    finding = None
    try:
        _write(file.path, out, parts)
        finding = look_at(file.path, ()).called(out)
    finally:
        file.settle(keep=finding is not None and finding.is_good)
    if not finding.is_good:
        raise RefusedResultError(f"{out} is not written: packed, the model does not find the same; {finding.faults}")
    say(json.dumps(as_json(finding), indent=2) if options.json else "\n".join(_told(options, finding)))
    return ExitCode.OK


def _write(path: Path, out: Path, parts: Parts) -> None:
    try:
        with path.open("wb") as file:
            write_archive(file, parts.contents)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}") from error


def _told(options: argparse.Namespace, finding: Finding) -> Iterator[str]:
    read = sum(path.stat().st_size for path in options.models)
    yield f"read {', '.join(str(path) for path in options.models)}: {read} bytes"
    yield f"wrote {finding.path}: {finding.size} bytes"
    yield from as_text(finding)
