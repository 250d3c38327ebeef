"""Labels named in the site file, as class ids: which count on a camera, and thresholds for single ones."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from agent.errors import SettingsError
from trackers import Detections


class LabelFilter:
    """Keeps detections of chosen labels; of a camera, say. Any thread may call."""

    def __init__(self, labels: tuple[str, ...], keep_labels: Collection[str] | None, key: str = "keep_labels") -> None:
        """Look the labels up.

        Args:
            labels: text of every class id.
            keep_labels: those that count, or None for all.
            key: where they are written in the site file, for the error.

        Raises:
            SettingsError: one of them is no label of the model.
        """
        self._is_kept: npt.NDArray[np.bool_] | None = None
        if keep_labels is not None:
            _refuse_unknown(labels, keep_labels, key)
            self._is_kept = np.array([label in keep_labels for label in labels], np.bool_)

    def __call__(self, detections: Detections) -> Detections:
        """The detections that count, in the same order."""
        if self._is_kept is None:
            return detections
        return detections[self._is_kept[detections.class_ids]]


def score_thresholds(
    labels: tuple[str, ...], threshold: float, by_label: Mapping[str, float], wanted: Collection[str] | None
) -> npt.NDArray[np.float32]:
    """The threshold of every class id, float32 (classes,); infinity where nobody wants the class.

    Unknown labels in `wanted` are let be: each camera's `LabelFilter` tells of them, and where they are written.

    Raises:
        SettingsError: a label the model does not have.
    """
    _refuse_unknown(labels, by_label, "detection.score_thresholds")
    thresholds = np.array([by_label.get(label, threshold) for label in labels], np.float32)
    if wanted is not None:
        thresholds[[label not in wanted for label in labels]] = np.inf
    return thresholds


def _refuse_unknown(labels: tuple[str, ...], named: Collection[str], key: str) -> None:
    unknown = [name for name in named if name not in labels]
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], labels, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"it has {_some(labels)}"
    raise SettingsError(f"{key}: {unknown[0]!r} is no label of this model; {advice}")


def _some(labels: tuple[str, ...]) -> str:
    shown = ", ".join(repr(label) for label in labels[:10])
    return shown if len(labels) <= 10 else f"{shown} and {len(labels) - 10} more"
