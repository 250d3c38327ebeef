"""Topics, client ids, pauses, the detections feed."""

from __future__ import annotations

import json
import random
from typing import Literal

import pytest
from fakes.events import RUN_ID, frame_info, tracked_frame

from agent.publish.backoff import Backoff
from agent.publish.client_id import default_client_id
from agent.publish.detections_feed import DetectionsFeed
from agent.publish.topics import Topics


def test_topics_are_under_base_and_site() -> None:
    """The names that consumers subscribe to."""
    topics = Topics("a/b", "depot")

    assert topics.site_status() == "a/b/depot/status"
    assert [topics.camera_status("gate"), topics.events("gate"), topics.detections("gate")] == [
        "a/b/depot/gate/status",
        "a/b/depot/gate/events",
        "a/b/depot/gate/detections",
    ]


def test_a_client_id_is_one_of_machine_and_site() -> None:
    """Stable, different for another machine or site, and it does not show the machine's id."""
    machine = "0123456789abcdef0123456789abcdef"
    own = default_client_id(machine, "depot")

    assert own == default_client_id(machine, "depot")
    assert len({own, default_client_id(machine, "shop"), default_client_id("f" + machine, "depot")}) == 3
    assert machine not in own
    assert own.startswith("sitewatch-depot-")


def test_pauses_double_with_jitter_to_a_limit() -> None:
    """Each pause is between half and all of the doubled time; success begins anew."""
    backoff = Backoff(1.0, 30.0, random.Random(1))
    pauses = [backoff.pause_s() for _ in range(8)]
    backoff.reset()

    for pause, limit in zip(pauses, [1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert limit / 2 <= pause <= limit
    assert backoff.pause_s() <= 1.0


def test_what_only_a_person_can_mend_is_tried_slowly() -> None:
    """The first pause is already of the longest kind."""
    assert Backoff(1.0, 30.0, random.Random(1)).pause_s(is_hopeless=True) >= 15.0


@pytest.mark.parametrize(
    ("rate", "expected"), [("every_frame", list(range(1, 31))), ("off", []), (5.0, [1, 7, 13, 19, 25])]
)
def test_detections_come_at_the_set_rate(rate: Literal["every_frame", "off"] | float, expected: list[int]) -> None:
    """Of thirty frames in a second: all, none, or five evenly spread, for each camera by itself."""
    sent: list[tuple[str, int]] = []
    feed = DetectionsFeed(
        lambda camera_id, p: sent.append((camera_id, json.loads(p)["frame_sequence"])), "depot", RUN_ID, rate
    )
    for n in range(30):
        for camera_id in ("gate", "yard"):
            feed.tell(tracked_frame(frame_info(n + 1, camera_id, at_s=n / 30)))

    for camera_id in ("gate", "yard"):
        assert [sequence for camera, sequence in sent if camera == camera_id] == expected
