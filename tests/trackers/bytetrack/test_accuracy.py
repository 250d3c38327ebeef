"""The default set does better than the published algorithm, most of all at low frame rates."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.evaluation.comparing import compare
from agent.evaluation.following import follow
from agent.evaluation.scoring import Scores, load_evaluator
from agent.evaluation.sequence import Sequence, read_sequence
from trackers import ByteTrackSettings

pytestmark = pytest.mark.assets


def score(sequence: Sequence, settings: ByteTrackSettings, every: int) -> Scores:
    followed = follow(sequence, settings, every=every, timer=time.thread_time)
    return load_evaluator().measure(compare(sequence, followed)).scores()


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
    sequence = read_sequence(assets / "mot" / "scored" / name, name)
    reference = score(sequence, ByteTrackSettings.reference(frame_rate=sequence.frame_rate / every), every)
    default = score(sequence, ByteTrackSettings(), every)

    assert default.hota >= reference.hota + least_gain
    assert default.idf1 >= reference.idf1 - 0.6
    assert default.switches <= reference.switches * 1.03
