"""The default set does better than the published algorithm, most of all at low frame rates."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.trackers_scoring import Sequence

from trackers import ByteTrackSettings

pytestmark = pytest.mark.assets


@pytest.mark.parametrize(
    ("name", "every", "least_gain"),
    [
        ("MOT17-09", 1, -0.3),
        ("MOT17-11", 1, -0.3),
        ("MOT17-09", 3, 0.5),
        ("MOT17-11", 6, 1.5),
        ("dancetrack0058", 1, 8.0),
        ("sim-yard", 1, -0.3),
    ],
)
def test_the_default_gains_on_the_reference(name: str, every: int, least_gain: float, assets: Path) -> None:
    """In HOTA as given; in IDF1 it loses nothing worth telling, and identities switch no more often."""
    sequence = Sequence.read(assets / "mot" / "scored" / name)
    reference = sequence.score(ByteTrackSettings.reference(frame_rate=sequence.frame_rate / every), every)
    default = sequence.score(ByteTrackSettings(), every)

    assert default.hota >= reference.hota + least_gain
    assert default.idf1 >= reference.idf1 - 0.6
    assert default.switches <= reference.switches * 1.03
