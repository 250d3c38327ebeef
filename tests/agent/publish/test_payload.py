"""What messages say, held against the schemas in config/payloads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from fakes.events import NOON, RUN_ID, event, frame_info, tracked_frame
from fakes.payload_schemas import validator

from agent.errors import SourceFailure
from agent.events.event import EventKind
from agent.publish.payload import camera_status_payload, detections_payload, event_payload, site_status_payload
from agent.publish.status import CameraState, CameraStatus, Health, HealthState, SiteState, SiteStatus
from agent.stream.frame import ClockSource

SITE = SiteStatus("depot", SiteState.ONLINE, NOON, "0.1.0", RUN_ID)
CAMERA = CameraStatus("depot", "gate", RUN_ID, CameraState.ONLINE, NOON)


def parsed(payload: bytes) -> dict[str, Any]:
    """The message as a consumer reads it."""
    message: dict[str, Any] = json.loads(payload)
    return message


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("clock_source", list(ClockSource))
def test_events_fit_their_schema(kind: EventKind, clock_source: ClockSource) -> None:
    """Every kind of event from every clock is a valid message."""
    ended_at = NOON if kind is EventKind.END else None

    validator("event").validate(
        parsed(event_payload(event(1, kind=kind, clock_source=clock_source, ended_at=ended_at), 7))
    )


def test_an_event_reads_as_expected() -> None:
    """The whole message, with Frigate's names where the meaning is Frigate's."""
    message = parsed(event_payload(event(3), 42))

    assert message == {
        "schema_version": 1,
        "type": "new",
        "site": "depot",
        "camera": "gate",
        "id": f"{RUN_ID}-gate-3",
        "event_id": "01957e3a-0000-7000-8000-000000000003",
        "sequence": 42,
        "run_id": RUN_ID,
        "track_id": 3,
        "label": "person",
        "score": 0.75,
        "top_score": 0.875,
        "occurred_at": "2026-03-01T12:00:03.250Z",
        "frame_time": 1772366403.25,
        "start_time": 1772366400.25,
        "end_time": None,
        "clock_source": "rtcp",
        "frame_sequence": 3,
        "frame_size": [640, 480],
        "box": [10.0, 20.0, 110.0, 220.0],
        "box_fraction": [0.01562, 0.04167, 0.17188, 0.45833],
    }


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    """A time of another zone is the same moment, written with Z."""
    elsewhere = event(1, occurred_at=NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))

    assert parsed(event_payload(elsewhere, 1))["occurred_at"] == "2026-03-01T12:00:00.250Z"


def test_one_object_has_one_id() -> None:
    """`id` is the same over new, update and end, and differs by camera and by run."""
    ids = {parsed(event_payload(event(1, kind=kind, ended_at=NOON), 1))["id"] for kind in EventKind}
    others = {
        parsed(event_payload(event(1, **change), 1))["id"]
        for change in ({"camera_id": "yard"}, {"track_id": 2}, {"run_id": RUN_ID[:-1] + "2"})
    }

    assert len(ids) == 1
    assert len(ids | others) == 4


@pytest.mark.parametrize(
    "change", [{"sequence": 0}, {"box": [1, 2, 3]}, {"extra": 1}, {"end_time": 5.0}, {"type": "gone"}]
)
def test_the_event_schema_refuses_what_we_never_send(change: dict[str, Any]) -> None:
    """A schema that accepts anything would prove nothing."""
    assert not validator("event").is_valid({**parsed(event_payload(event(1), 1)), **change})


def test_detections_fit_their_schema() -> None:
    """Each track of the frame, boxes clipped; an empty frame is an empty list."""
    frame = tracked_frame(frame_info(9), {4: 0.5, 5: 0.25}, class_ids={5: 1}, box=(-10.0, 0.0, 320.0, 480.0))
    message = parsed(detections_payload("depot", RUN_ID, frame))
    empty = parsed(detections_payload("depot", RUN_ID, tracked_frame(frame_info(10))))

    validator("detections").validate(message)
    validator("detections").validate(empty)
    assert [(t["track_id"], t["label"], t["score"]) for t in message["tracks"]] == [
        (4, "person", 0.5),
        (5, "car", 0.25),
    ]
    assert message["tracks"][0]["box"] == [0.0, 0.0, 320.0, 480.0]
    assert message["tracks"][0]["box_fraction"] == [0.0, 0.0, 0.5, 1.0]
    assert empty["tracks"] == []


def test_a_track_has_the_id_of_its_events() -> None:
    """A consumer can join detections with events by `id`."""
    message = parsed(detections_payload("depot", RUN_ID, tracked_frame(frame_info(9), {4: 0.5})))

    assert message["tracks"][0]["id"] == parsed(event_payload(event(4), 1))["id"]


@pytest.mark.parametrize("state", list(SiteState))
def test_site_statuses_fit_their_schema(state: SiteState) -> None:
    """Every state, with and without an engine."""
    engine = replace(SITE, state=state, engine="openvino on CPU", engine_reason="fastest", config_digest="ab12")

    for status in (replace(SITE, state=state), engine):
        validator("site_status").validate(parsed(site_status_payload(status)))


@pytest.mark.parametrize("health", [Health(HealthState.OK), Health(HealthState.OVERLOADED, ("gate: too slow", "disk"))])
def test_only_a_site_that_is_there_says_how_it_is(health: Health) -> None:
    """State and reasons while it is online; the will and the goodbye know nothing of it."""
    for state in SiteState:
        told = parsed(site_status_payload(replace(SITE, state=state, health=health)))
        validator("site_status").validate(told)

        expected = {"state": health.state.value, "reasons": list(health.reasons)}
        assert told["health"] == (expected if state is SiteState.ONLINE else None)


@pytest.mark.parametrize("state", list(CameraState))
@pytest.mark.parametrize("reason", [None, *SourceFailure])
def test_camera_statuses_fit_their_schema(state: CameraState, reason: SourceFailure | None) -> None:
    """Every state with every reason a source knows."""
    status = replace(CAMERA, state=state, reason=reason and reason.value, detail="words", fps=9.987)

    validator("camera_status").validate(parsed(camera_status_payload(status)))


def test_a_number_that_json_does_not_have_is_refused() -> None:
    """NaN fails where it is made, not at a consumer."""
    with pytest.raises(ValueError, match="JSON"):
        event_payload(event(1, score=float("nan")), 1)
