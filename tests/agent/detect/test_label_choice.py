"""Labels named in the site file choose among a model's classes."""

from __future__ import annotations

import numpy as np
import pytest

from agent.detect.label_choice import LabelFilter, score_thresholds
from agent.errors import SettingsError
from trackers import Detections

LABELS = ("person", "car", "dog")
SEEN = Detections(np.zeros((4, 4), np.float32), np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 2, 1]))


def test_chosen_labels_are_kept() -> None:
    """Detections of other labels go, the order stays."""
    kept = LabelFilter(LABELS, ("car", "dog"))(SEEN)

    assert kept.class_ids.tolist() == [1, 2, 1]
    assert kept.scores.tolist() == [0.8, 0.7, 0.6]


def test_without_a_choice_everything_is_kept() -> None:
    """No list means all labels, and nothing is copied."""
    assert LabelFilter(LABELS, None)(SEEN) is SEEN


def test_nothing_seen_stays_nothing() -> None:
    """An empty frame passes every filter."""
    assert len(LabelFilter(LABELS, ("car",))(Detections.empty())) == 0


def test_an_unknown_label_is_refused_with_a_suggestion() -> None:
    """A slip of the pen would hide everything; the error says where, and what was meant."""
    with pytest.raises(SettingsError, match=r"cameras\.gate\.keep_labels: 'persn' .* did you mean 'person'\?"):
        LabelFilter(LABELS, ("persn",), "cameras.gate.keep_labels")


def test_an_unlike_label_is_refused_with_what_there_is() -> None:
    """Where nothing is near, the model's labels are listed."""
    with pytest.raises(SettingsError, match="it has 'person', 'car', 'dog'"):
        LabelFilter(LABELS, ("zeppelin",))


def test_every_class_has_a_threshold() -> None:
    """Its own, or the common one; a class nobody wants has none that a score could reach."""
    thresholds = score_thresholds(LABELS, 0.25, {"car": 0.5}, {"person", "car"})

    assert thresholds.tolist() == [0.25, 0.5, np.inf]


def test_a_threshold_for_an_unknown_label_is_refused() -> None:
    """The key is told."""
    with pytest.raises(SettingsError, match="score_thresholds: 'cat'"):
        score_thresholds(LABELS, 0.1, {"cat": 0.5}, None)
