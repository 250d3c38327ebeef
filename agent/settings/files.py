"""Whether the files that a site names can be read; told like any other mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.settings.broken_rule import BrokenRule
from agent.settings.label_rules import unknown_labels
from agent.settings.mistake import KeyPath
from agent.settings.models import SiteSettings, TlsSettings
from agent.settings.types import SourceKind
from agent.settings.types.masking import mask

NO_SUCH_FILE = "no such file"
FOLDER = "a folder"
CORE_ML_FOLDERS = (".mlpackage", ".mlmodelc")  # these models are folders
MODEL_FILES = "an ONNX file, a bundle, a Core ML package or an OpenVINO .xml"
LARGEST_LABELS_BYTES = 1024 * 1024


def unreadable_files(site: SiteSettings) -> Iterator[BrokenRule]:
    """Every file the site names that is missing, unreadable or empty; opens each, changes nothing."""
    if site.model != "motion":
        if not (site.model.path.suffix in CORE_ML_FOLDERS and site.model.path.is_dir()):
            yield from _file(("model", "path"), site.model.path, MODEL_FILES)
        if isinstance(site.model.labels, Path):
            yield from _labels(site, site.model.labels)
    if site.broker is not None and site.broker != "embedded":
        yield from _tls(("broker", "tls"), site.broker.tls)
    for camera_id, camera in site.cameras.items():
        at: KeyPath = ("cameras", camera_id)
        yield from _tls((*at, "tls"), camera.tls)
        if camera.source.kind is SourceKind.FILE:
            hint = "the address of a camera begins with rtsp:// or http://"
            yield from _file((*at, "source"), Path(camera.source.location), "a file with video", hint)
    yield from _folders(site)


def _file(at: KeyPath, path: Path, allowed: str, hint: str = "") -> Iterator[BrokenRule]:
    problem = _problem(path)
    if problem:
        yield BrokenRule(at, f"{mask(str(path))}: {problem}", allowed, hint if problem == NO_SUCH_FILE else "")


def _problem(path: Path) -> str:
    """Why a file cannot be read, or empty."""
    try:
        if not path.is_file():
            return "not a file" if path.exists() else NO_SUCH_FILE
        with path.open("rb") as file:
            return "" if file.read(1) else "the file is empty"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _tls(at: KeyPath, tls: TlsSettings | None) -> Iterator[BrokenRule]:
    if tls is None:
        return
    for key in ("ca_file", "client_cert_file", "client_key_file"):
        path = getattr(tls, key)
        if path is not None:
            yield from _file((*at, key), path, "a PEM file")


def _labels(site: SiteSettings, path: Path) -> Iterator[BrokenRule]:
    at: KeyPath = ("model", "labels")
    problem = _problem(path)
    known: tuple[str, ...] = ()
    if not problem and path.stat().st_size > LARGEST_LABELS_BYTES:
        problem = "too large for labels"
    elif not problem:
        known = _lines(path)
        problem = "" if known else "not UTF-8 text with a label a line"
    if problem:
        yield BrokenRule(at, f"{path}: {problem}", "a text file with a label a line")
    else:
        yield from unknown_labels(site, known)


def _lines(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return ()
    labels = tuple(line.strip() for line in lines)
    return labels if all(label.isprintable() for label in labels) and any(labels) else ()


def _folders(site: SiteSettings) -> Iterator[BrokenRule]:
    if site.state_dir is not None and _kind(site.state_dir) not in (FOLDER, NO_SUCH_FILE):
        allowed = "a folder, which is made if it is not there"
        yield BrokenRule(("state_dir",), f"{site.state_dir}: {_kind(site.state_dir)}", allowed)
    if site.events_file == "-":
        return
    file = Path(site.events_file)
    if _kind(file) == FOLDER:
        yield BrokenRule(("events_file",), f"{file}: a folder", "a file, or - for standard output")
    elif _kind(file.parent) != FOLDER:
        yield BrokenRule(("events_file",), f"{file.parent}: no such folder", "a file in a folder that exists")


def _kind(path: Path) -> str:
    """What is there, in words."""
    try:
        if path.is_dir():
            return FOLDER
        return "not a folder" if path.exists() else NO_SUCH_FILE
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
