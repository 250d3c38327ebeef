"""What a bundle says of itself, in `manifest.json`: read strictly, for nothing in it may be meant and not heeded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.models.bundle.fault import FaultError
from agent.models.bundle.written import Written
from agent.settings.models import DetectionSettings, ModelSettings

MANIFEST = "manifest.json"
LARGEST_MANIFEST_BYTES = 1 << 20
FORMAT = "sitewatch model bundle"
VERSION = 1
PRECISIONS = ("fp32", "fp16", "int8")
FEED_KEYS = ("family", "input_size", "color_order", "mean", "scale", "fit", "pad_value")
"""Of the site file's model section: how the model is fed and read."""
THRESHOLD_KEYS = ("score_threshold", "score_thresholds", "iou_threshold", "max_detections")
"""Of the site file's detection section."""
MOST_PICTURES = 16

MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+() -]{0,199}")
"""An SPDX licence expression, by its letters."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORDS = re.compile(r"[ -~]{0,200}")


@dataclass(frozen=True)
class Part:
    """A part's digest and size."""

    sha256: str
    size: int


@dataclass(frozen=True)
class PackedModel:
    """The model in one precision: the part that holds it, and the part with what it finds in the golden pictures."""

    precision: str
    part: str
    golden: str


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        name: of the model, for people, metrics and model servers.
        models: one a precision; the first is taken where the site file does not ask for one.
        feed: keys of the site file's model section.
        thresholds: keys of its detection section.
        labels: the part with a label a line.
        pictures: the parts with golden pictures.
        licence: an SPDX expression.
        licence_text: the part with its text, or None.
        calibration: the part with pictures to build int8 with, or None.
        packed_with: names and versions of what packed it.
        parts: every part but the manifest.
    """

    name: str
    models: tuple[PackedModel, ...]
    feed: Mapping[str, Any]
    thresholds: Mapping[str, Any]
    labels: str
    pictures: tuple[str, ...]
    licence: str
    licence_text: str | None
    calibration: str | None
    packed_with: Mapping[str, str]
    parts: Mapping[str, Part] = field(repr=False)

    @property
    def roles(self) -> tuple[str, ...]:
        """The parts that mean something."""
        named = [self.labels, *self.pictures, self.licence_text, self.calibration]
        models = [part for model in self.models for part in (model.part, model.golden)]
        return tuple(name for name in (*models, *named) if name is not None)


def write_manifest(manifest: Manifest) -> bytes:
    """As the bundle holds it; equal manifests give equal bytes."""
    written = {
        "format": FORMAT,
        "version": VERSION,
        "name": manifest.name,
        "models": [{"precision": m.precision, "part": m.part, "golden": m.golden} for m in manifest.models],
        "feed": dict(manifest.feed),
        "thresholds": dict(manifest.thresholds),
        "labels": manifest.labels,
        "pictures": list(manifest.pictures),
        "licence": {"expression": manifest.licence, "text": manifest.licence_text},
        "calibration": manifest.calibration,
        "packed_with": dict(sorted(manifest.packed_with.items())),
        "parts": {name: {"sha256": part.sha256, "bytes": part.size} for name, part in manifest.parts.items()},
    }
    return json.dumps(written, indent=1, allow_nan=False).encode() + b"\n"


def read_manifest(content: bytes) -> Manifest:
    """What `write_manifest` wrote.

    Raises:
        FaultError: it is none, of another version, or says something that cannot be.
    """
    try:
        written = Written(json.loads(content), MANIFEST)
    except (ValueError, RecursionError) as error:
        raise FaultError(f"{MANIFEST} is no JSON") from error
    _refuse_other_versions(written)
    manifest = _read(written)
    written.refuse_rest()
    _refuse_unfit(manifest)
    return manifest


def _refuse_other_versions(written: Written) -> None:
    if written.get("format") != FORMAT:
        raise FaultError(f"{MANIFEST} is of something else than a {FORMAT}")
    if (version := written.get("version")) != VERSION:
        raise FaultError(f"it is of version {version!r} of the format; this release reads version {VERSION}")


def _read(written: Written) -> Manifest:
    licence = written.section("licence")
    manifest = Manifest(
        name=written.text("name", MODEL_NAME),
        models=tuple(_model(each) for each in written.sections("models", len(PRECISIONS))),
        feed=_settings(written, "feed", FEED_KEYS),
        thresholds=_settings(written, "thresholds", THRESHOLD_KEYS),
        labels=written.text("labels"),
        pictures=written.texts("pictures", MOST_PICTURES),
        licence=licence.text("expression", LICENCE),
        licence_text=licence.text_or_none("text"),
        calibration=written.text_or_none("calibration"),
        packed_with=written.section("packed_with").all_texts(_WORDS),
        parts={name: _part(each) for name, each in written.section("parts").all_sections()},
    )
    licence.refuse_rest()
    return manifest


def _model(written: Written) -> PackedModel:
    model = PackedModel(written.word("precision", PRECISIONS), written.text("part"), written.text("golden"))
    written.refuse_rest()
    return model


def _part(written: Written) -> Part:
    part = Part(written.text("sha256", _SHA256), written.whole_number("bytes"))
    written.refuse_rest()
    return part


def _settings(written: Written, key: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Keys of a site file's section: every one of them, and of a kind that a site file may have."""
    given = written.section(key).everything()
    if set(given) != set(keys):
        raise FaultError(f"{MANIFEST}: {key} must have {', '.join(keys)}, and nothing else")
    try:
        if key == "feed":
            ModelSettings.model_validate({"path": "model", **given})
        else:
            DetectionSettings.model_validate(given)
    except (ValueError, RecursionError) as error:
        raise FaultError(f"{MANIFEST}: {key} holds what a site file may not") from error
    if None in given.values():
        raise FaultError(f"{MANIFEST}: {key} leaves something open")
    return given


def _refuse_unfit(manifest: Manifest) -> None:
    precisions = [model.precision for model in manifest.models]
    if not precisions or len(set(precisions)) != len(precisions):
        raise FaultError(f"{MANIFEST} must name one model a precision; it names {', '.join(precisions) or 'none'}")
    if not manifest.pictures:
        raise FaultError(f"{MANIFEST} names no golden picture, so that nothing could be verified")
    roles = manifest.roles
    if twice := sorted({name for name in roles if roles.count(name) > 1}):
        raise FaultError(f"{MANIFEST} gives {twice[0]} two meanings")
    if missing := [name for name in roles if name not in manifest.parts]:
        raise FaultError(f"{MANIFEST} has no digest of {missing[0]}")
    if idle := [name for name in manifest.parts if name not in roles]:
        raise FaultError(f"{MANIFEST} does not say what {idle[0]} is for")
