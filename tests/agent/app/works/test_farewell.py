"""A camera's farewell: what it has open ends behind its last frame, and whoever tells learns that this was all."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from fakes.clock import FakeClock
from models.detecting import make_frame
from prometheus_client import CollectorRegistry

from agent.app.happened import make_happened
from agent.app.rules import make_rules
from agent.app.works.ticketed import Farewell, Ticketed
from agent.app.works.told import Told
from agent.app.works.track_work import TrackWork
from agent.detect.detected import DetectedFrame
from agent.events.event import EventKind
from agent.events.event_ids import EventIds
from agent.pipeline.channel import Channel, WhenFull, no_beat
from agent.settings.models import CameraSettings, SiteSettings
from agent.track.camera_trackers import CameraTrackers
from trackers import ByteTracker, ByteTrackSettings, Detections

FRAMES = 4
GATE = CameraSettings.model_validate({"source": 0})


def seen(camera_id: str, ticket: int) -> Ticketed:
    """Somebody stands there."""
    frame = make_frame(np.zeros((90, 160, 3), np.uint8), camera_id, ticket + 1)
    somebody = Detections(np.array([[20.0, 20.0, 60.0, 80.0]]), np.array([0.9]), np.zeros(1, np.int32))
    return Ticketed(camera_id, ticket, DetectedFrame(frame, somebody, ("person",)))


def tell(arrivals: Sequence[Ticketed]) -> list[Told]:
    """What tracking makes of what comes."""
    source: Channel[Ticketed] = Channel(100, WhenFull.BLOCK)
    out: Channel[Told] = Channel(100, WhenFull.BLOCK)
    clock = FakeClock()
    happened = make_happened(CollectorRegistry(), clock)
    site = SiteSettings(site="yard", broker="embedded", model="motion", cameras={"gate": GATE})
    rules = make_rules(site, EventIds(clock, random.Random(1)), happened)
    trackers = CameraTrackers(lambda: ByteTracker(ByteTrackSettings()), happened.track)
    work = TrackWork(source, trackers, rules, out, clock=clock, stages=happened.pipeline, most_ahead=10, silence_s=None)
    for ticketed in arrivals:
        source.put(ticketed)
    source.close()
    work.run(no_beat)
    out.close()
    return list(out)


@pytest.mark.parametrize("is_for_good", [False, True])
def test_tracks_end_and_then_the_camera(is_for_good: bool) -> None:  # noqa: FBT001 - a case of the test
    """Behind the last frame, though the farewell came first; the other camera goes on to the end."""
    farewell = Ticketed("gate", FRAMES, Farewell("gate", is_for_good))
    frames = [seen("gate", ticket) for ticket in range(FRAMES)]
    told = tell([farewell, *frames, *(seen("yard", ticket) for ticket in range(FRAMES))])
    kinds = [[(event.camera_id, event.kind) for event in each.events] for each in told]

    assert [each.ended for each in told].count("gate") == 1
    place = [each.ended for each in told].index("gate")
    assert kinds[place - 1] == [("gate", EventKind.END)]
    assert sum(each.tracked is not None for each in told[:place]) == FRAMES
    assert kinds[-1] == [("yard", EventKind.END)]
    assert sum(pair == ("gate", EventKind.END) for each in kinds for pair in each) == 1


def test_a_camera_that_gave_nothing_ends_too() -> None:
    """Whoever waits for its end learns of it."""
    assert [(each.tracked, each.events, each.ended) for each in tell([Ticketed("gate", 0, Farewell("gate"))])] == [
        (None, (), "gate")
    ]


def test_a_name_that_comes_back_goes_on_counting_or_begins_anew() -> None:
    """Numbers are never used again, unless the camera had gone for good: then its tickets begin anew as well."""
    before = [seen("gate", ticket) for ticket in range(FRAMES)]
    back = [seen("gate", FRAMES + 1 + ticket) for ticket in range(FRAMES)]
    goes_on = tell([*before, Ticketed("gate", FRAMES, Farewell("gate")), *back])
    anew = tell([*before, Ticketed("gate", FRAMES, Farewell("gate", is_for_good=True)), *before])

    assert _numbers(goes_on) == {1, 2}
    assert _numbers(anew) == {1}
    assert sum(each.tracked is not None for each in anew) == 2 * FRAMES


def _numbers(told: Sequence[Told]) -> set[int]:
    return {number for each in told if each.tracked for number in each.tracked.tracks.track_ids.tolist()}
