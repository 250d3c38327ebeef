"""The reference set against the published code's own output."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from trackers import ByteTracker, ByteTrackSettings, Detections

pytestmark = pytest.mark.assets
SEQUENCES = ["MOT17-09", "MOT17-11", "dancetrack0058", "sim-yard"]
Rows = npt.NDArray[np.float64]


def detections_of(rows: Rows) -> Detections:
    boxes = rows[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Detections(boxes, rows[:, 6], rows[:, 7].astype(np.int32))


def tracked(folder: Path) -> Rows:
    """(K, 6): frame, id, left, top, width, height, as the published output has it."""
    sequence = json.loads((folder / "seq.json").read_text())
    rows = np.loadtxt(folder / "det.txt", delimiter=",")
    tracker = ByteTracker(ByteTrackSettings.reference(frame_rate=sequence["fps"]))
    told = []
    for frame in range(1, sequence["length"] + 1):
        tracks = tracker.update(detections_of(rows[rows[:, 0] == frame]), frame / sequence["fps"])
        size = tracks.boxes[:, 2:] - tracks.boxes[:, :2]
        told.append(np.column_stack((np.full(len(tracks), frame), tracks.track_ids, tracks.boxes[:, :2], size)))
    return np.concatenate(told)


def in_order(rows: Rows) -> Rows:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_reference_is_the_published_algorithm_row_for_row(name: str, assets: Path) -> None:
    """Every frame has the same ids, and every box is the same to the digits that were written."""
    folder = assets / "mot" / "scored" / name
    published = in_order(np.loadtxt(folder / "official.txt", delimiter=","))
    ours = in_order(tracked(folder))

    np.testing.assert_array_equal(ours[:, :2], published[:, :2])
    np.testing.assert_allclose(ours[:, 2:], published[:, 2:], atol=0.00501)
