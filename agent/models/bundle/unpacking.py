"""Takes out of a bundle what engines read from files: into a folder under its digest, each file whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ModelError, OutputError
from agent.models.bundle.arrays import Pictures
from agent.models.bundle.bundle import LARGEST_LABELS_BYTES, Bundle, opened
from agent.models.bundle.manifest import Manifest, PackedModel
from trackers import Detections

KEPT_BUNDLES = 3
LARGEST_MODEL_BYTES = 2 << 30
AUTO = "auto"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Unpacked:
    """What was taken out of a bundle; the file may change or go from now on.

    Attributes:
        path: of the bundle.
        sha256: of its manifest.
        manifest: what it says of itself.
        packed: the model that was chosen of its precisions.
        folder: with the files below; a folder in the system's temporary one goes with this object.
        pictures: golden ones, each uint8 (height, width, 3) BGR.
        found: what `packed` finds in each.
    """

    path: Path
    sha256: str
    manifest: Manifest
    packed: PackedModel
    folder: Path
    pictures: tuple[Pictures, ...]
    found: tuple[Detections, ...]

    @property
    def model(self) -> Path:
        """The ONNX file, called as the model is."""
        return self.folder / self.packed.part

    @property
    def labels(self) -> Path:
        """A label a line."""
        return self.folder / self.manifest.labels

    @property
    def calibration(self) -> Path | None:
        """Pictures to build int8 with."""
        return None if self.manifest.calibration is None else self.folder / self.manifest.calibration


def unpack(path: Path, folder: Path | None, precision: str = AUTO) -> Unpacked:
    """Look at every byte of a bundle and take out what is needed of it.

    Args:
        path: of the bundle.
        folder: where unpacked bundles are kept, each under its digest, the last three of them; None takes a
            temporary one.
        precision: of the model to take, where the bundle has it; else, and for "auto", its first.

    Raises:
        ModelError: the bundle is not wholly what was packed.
        OutputError: the folder cannot be written.
    """
    with opened(path) as bundle:
        packed = _chosen(bundle.manifest, precision)
        pictures = bundle.pictures()
        found = bundle.found(packed)
        place, is_kept = _place(bundle, folder)
        unpacked = Unpacked(path, bundle.sha256, bundle.manifest, packed, place, pictures, found)
        if not is_kept:
            weakref.finalize(unpacked, shutil.rmtree, place, ignore_errors=True)
        _take_out(bundle, packed, place)
    if folder is not None:
        _forget_old(place)
    return unpacked


def _chosen(manifest: Manifest, precision: str) -> PackedModel:
    return next((model for model in manifest.models if model.precision == precision), manifest.models[0])


def _place(bundle: Bundle, folder: Path | None) -> tuple[Path, bool]:
    try:
        if folder is None:
            return Path(tempfile.mkdtemp(prefix="sitewatch-bundle-")), False
        place = folder / bundle.sha256
        place.mkdir(parents=True, exist_ok=True)
        os.utime(place)
    except OSError as error:
        raise _not_written(bundle, folder or Path(tempfile.gettempdir()), error) from error
    return place, True


def _take_out(bundle: Bundle, packed: PackedModel, place: Path) -> None:
    limits = {packed.part: LARGEST_MODEL_BYTES, bundle.manifest.labels: LARGEST_LABELS_BYTES}
    for name in (packed.part, bundle.manifest.labels, bundle.manifest.calibration):
        if name is None:
            continue
        part = bundle.manifest.parts[name]
        if part.size > limits.get(name, part.size):
            raise ModelError(f"{bundle.path}: {name} has {part.size} bytes; at most {limits[name]} are read")
        try:
            if _digest(place / name) != part.sha256:
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                bundle.copy_out(name, place / name)
        except OSError as error:
            raise _not_written(bundle, place, error) from error


def _digest(path: Path) -> str | None:
    """Of a file that an earlier start left; None where there is none."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _forget_old(place: Path) -> None:
    """Remove the unpacked bundles that were used longest ago."""
    with suppress(OSError):
        others = [each for each in place.parent.iterdir() if _DIGEST.fullmatch(each.name) and each != place]
        others.sort(key=lambda each: each.stat().st_mtime, reverse=True)
        for each in others[KEPT_BUNDLES - 1 :]:
            shutil.rmtree(each, ignore_errors=True)


def _not_written(bundle: Bundle, folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{bundle.path} cannot be unpacked into {folder}: {error.strerror or error}")
