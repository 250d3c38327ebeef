"""What a bundle says, laid under what the site file says: the site file has the last word, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.detect.labels import read_labels
from agent.models.bundle.manifest import FEED_KEYS, THRESHOLD_KEYS
from agent.models.bundle.unpacking import Unpacked
from agent.settings.models import DetectionSettings, ModelSettings

_UNSAID = (None, "auto")


def packed_model(unpacked: Unpacked) -> ModelSettings:
    """The bundle's model as the bundle alone would have it."""
    return ModelSettings.model_validate({**unpacked.manifest.feed, "path": unpacked.model, "labels": unpacked.labels})


def packed_detection(unpacked: Unpacked) -> DetectionSettings:
    """The bundle's thresholds."""
    return DetectionSettings.model_validate(dict(unpacked.manifest.thresholds))


def laid_model(unpacked: Unpacked, said: ModelSettings) -> ModelSettings:
    """The model section of a site file with the bundle's model in it, and what the site file leaves open."""
    packed = packed_model(unpacked)
    update: dict[str, Any] = {key: getattr(packed, key) for key in FEED_KEYS if getattr(said, key) in _UNSAID}
    update["path"] = packed.path
    if said.labels is None:
        update["labels"] = packed.labels
    if said.calibration is None:
        update["calibration"] = unpacked.calibration
    return said.model_copy(update=update)


def laid_detection(unpacked: Unpacked, said: DetectionSettings, model: ModelSettings) -> DetectionSettings:
    """The detection section of a site file with the bundle's thresholds where it has none of its own.

    Args:
        unpacked: the bundle.
        said: by the site file.
        model: by the site file; where it calls the classes otherwise, thresholds of single ones follow.

    Raises:
        ModelError: a labels file cannot be used.
    """
    packed = packed_detection(unpacked)
    update = {key: getattr(packed, key) for key in THRESHOLD_KEYS if key not in said.model_fields_set}
    if model.labels is not None and "score_thresholds" in update:
        update["score_thresholds"] = _renamed(unpacked, packed.score_thresholds, model.labels)
    return said.model_copy(update=update)


def _renamed(unpacked: Unpacked, thresholds: Mapping[str, float], labels: Any) -> dict[str, float]:  # noqa: ANN401 - as the settings have it: a path or texts
    texts = labels if isinstance(labels, tuple) else read_labels(labels)
    names = dict(zip(read_labels(unpacked.labels), texts, strict=False))
    return {names[label]: value for label, value in thresholds.items() if label in names}
