from __future__ import annotations

from typing import Any

import pytest

from agent.demo.reading import read_event


def event(kind: str, **changed: Any) -> dict[str, Any]:
    """An event of a person near the top right, as it arrives."""
    return {
        "type": kind,
        "camera": "gate",
        "label": "person",
        "track_id": 3,
        "score": 0.815,
        "frame_time": 1_700_000_012.5,
        "start_time": 1_700_000_000.0,
        "end_time": None,
        "box_fraction": [0.8, 0.0, 1.0, 0.3],
        **changed,
    }


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (event("new"), "+ person 3 appeared at the top right (82% sure)"),
        (event("update"), "person 3 is at the top right since 12 s (82% sure)"),
        (event("end", end_time=1_700_000_011.0), "- person 3 left at the top right, after 11.0 s"),
        (event("new", box_fraction=[0.4, 0.4, 0.6, 0.6]), "at the middle"),
        (event("new", box_fraction=[0.0, 0.9, 0.0, 1.0]), "at the bottom left"),
        (event("new", box_fraction=[1.0, 1.0, 1.0, 1.0]), "at the bottom right"),
    ],
)
def test_events_read_as_sentences(said: dict[str, Any], read: str) -> None:
    """Who, where, how sure, how long."""
    assert read in read_event(said)
