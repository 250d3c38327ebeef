"""Labels that the model cannot give."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agent.settings.broken_rule import BrokenRule
from agent.settings.mistake import KeyPath, shown_text

if TYPE_CHECKING:
    from agent.settings.models.site import SiteSettings


def unknown_labels(site: SiteSettings, known: Sequence[str]) -> Iterator[BrokenRule]:
    """Every label in the site that is none of the model's."""
    wanted: dict[KeyPath, Sequence[str]] = {
        ("detection", "keep_labels"): site.detection.keep_labels or (),
        ("detection", "score_thresholds"): tuple(site.detection.score_thresholds),
    }
    for camera_id, camera in site.cameras.items():
        wanted["cameras", camera_id, "keep_labels"] = camera.keep_labels or ()
    for key_path, labels in wanted.items():
        for label in labels:
            if label not in known:
                yield _unknown(key_path, label, known)


def _unknown(key_path: KeyPath, label: str, known: Sequence[str]) -> BrokenRule:
    """A label that the model does not have."""
    close = difflib.get_close_matches(label, known, n=1)
    shown = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    return BrokenRule(
        key_path,
        f"the label {shown_text(label)}, which the model does not have",
        f"its labels: {shown}",
        f"did you mean {close[0]}?" if close else "",
        also=(("model",),),
    )
