"""`sitewatch replay` on real clips with a real model: tracks against published truth, events against what one sees."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from replays.replaying import Replayed, lives, replay

from agent.detect.coco import COCO_LABELS
from agent.evaluation.comparing import compare
from agent.evaluation.following import read_followed
from agent.evaluation.scoring import load_evaluator
from agent.evaluation.sequence import read_sequence

pytestmark = pytest.mark.assets
MODEL = "models/yolox_nano_416.onnx"
PERSON = COCO_LABELS.index("person")
# What the reference tracker reaches with the same detector, in per cent.
LEAST_MOTA, LEAST_IDF1 = 69.0, 69.0
# From which frame to which (from 0) somebody is clearly in view, to about ten frames.
VISITS = ((64, 194), (228, 444), (506, 694), (746, 864), (928, 1196), (1238, 1358))
ABOUT = 15


@pytest.fixture(scope="module")
def pedestrians(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Up to ten people cross a square at once."""
    return replay(assets / "videos" / "vtest.avi", tmp_path_factory.mktemp("vtest"), "--model", assets / MODEL)


@pytest.fixture(scope="module")
def visitors(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Six people, one after the other."""
    clip = assets / "videos" / "one-by-one-person-detection.mp4"
    return replay(clip, tmp_path_factory.mktemp("visitors"), "--model", assets / MODEL)


def test_people_are_followed(pedestrians: Replayed, assets: Path) -> None:
    """At least as accurate, and as true to identities, as the reference."""
    lines = (pedestrians.folder / "tracks.txt").read_text().splitlines(keepends=True)
    people = pedestrians.folder / "people.txt"
    people.write_text("".join(line for line in lines if line.split(",")[7] == str(PERSON)))
    truth = read_sequence(assets / "mot" / "PETS09-S2L1", "square", with_detections=False)
    scores = load_evaluator().measure(compare(truth, read_followed(people, truth, every=1))).scores()

    assert pedestrians.exit_status == 0
    assert scores.mota >= LEAST_MOTA
    assert scores.idf1 >= LEAST_IDF1


def test_every_visitor_is_one_event_each_way(visitors: Replayed) -> None:
    """Six people: six `new` and six `end`, all of them `person`."""
    kinds = Counter((event["type"], event["label"]) for event in visitors.events if event["type"] != "update")

    assert visitors.exit_status == 0
    assert {event["label"] for event in visitors.events} == {"person"}
    assert kinds == {("new", "person"): 6, ("end", "person"): 6}


def test_visitors_come_one_at_a_time(visitors: Replayed) -> None:
    """Each is gone before the next is seen, and both when one sees it."""
    told = sorted(lives(visitors.events).values(), key=lambda life: float(life["new"]["start_time"]))
    frames = [[row.frame for row in visitors.rows if row.track_id == life["new"]["track_id"]] for life in told]

    assert max(Counter(row.frame for row in visitors.rows).values()) == 1
    for earlier, later in pairwise(told):
        assert earlier["end"]["end_time"] < later["new"]["start_time"]
    for (first, last), seen in zip(VISITS, frames, strict=True):
        assert seen[0] <= first + ABOUT
        assert last - ABOUT <= seen[-1]
