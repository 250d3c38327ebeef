"""What is seen from outside while cameras, broker and the agent itself end and return: nothing is lost, all is told."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from fakes.payload_schemas import of_topic
from live.agent_process import total
from live.story import BROKER_PASSWORD, CAMERA_PASSWORD, Story, live_through

pytestmark = [pytest.mark.rtsp, pytest.mark.mosquitto]
MOST_STOP_S = 8.0
# Once a camera's first clock report is here, times are its own; on one machine the two differ by the way of a frame.
CLOCK_STEP_S = 0.25
# Events that a killed agent may have sent without having seen the acknowledgement; it makes a few a second.
MOST_IN_FLIGHT = 8


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """It is lived through once; the tests read what was seen."""
    return live_through(tmp_path_factory.mktemp("site"))


def test_every_message_fits_its_schema(story: Story) -> None:
    """On all topics, for both versions of MQTT."""
    for messages in story.messages.values():
        assert {message.topic.rsplit("/", 1)[1] for message in messages} == {"status", "events", "detections"}
        for message in messages:
            of_topic(message.topic).validate(message.json())


def test_no_event_is_lost(story: Story) -> None:
    """Both subscribers have every sequence number from 1 to the last, and each number is one event."""
    for messages in story.messages.values():
        events = [message.json() for message in messages if message.topic.endswith("/events")]
        numbers = {event["sequence"]: event["event_id"] for event in events}

        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert len({event["event_id"] for event in events}) == len(numbers)
    made = sum(total(metrics, "sitewatch_events_total") for metrics in story.metrics)
    assert len(numbers) >= made


def test_doubles_are_the_same_message_again(story: Story) -> None:
    """What arrives twice has the same bytes, and was on its way when a connection or the agent ended."""
    arrived = Counter(message.payload for message in story.messages["5"] if message.topic.endswith("/events"))
    events = {message.json()["event_id"] for message in story.messages["5"] if message.topic.endswith("/events")}
    resent = total(story.metrics[0], "sitewatch_messages_total", kind="event", outcome="resent")

    assert len(arrived) == len(events)
    assert arrived.total() - len(arrived) <= resent + MOST_IN_FLIGHT


def test_events_of_a_camera_arrive_in_order(story: Story) -> None:
    """Sequence and frame number rise, over outages and over a restart."""
    for camera in ("gate", "yard"):
        events = story.payloads(f"/{camera}/events")
        by_run = Counter(event["run_id"] for event in events)

        assert len(by_run) == 2
        assert all(first["sequence"] < second["sequence"] for first, second in pairwise(events))
        for run_id in by_run:
            frames = [event["frame_sequence"] for event in events if event["run_id"] == run_id]
            assert frames == sorted(frames)


def test_every_track_has_one_life(story: Story) -> None:
    """`new` first, then updates, `end` last and at most once; the run that was asked to stop ended all of them."""
    lives: dict[str, list[str]] = {}
    for event in story.payloads("/events"):
        lives.setdefault(event["id"], []).append(event["type"])
    last_run = story.payloads("home/status")[-1]["run_id"]

    assert {life[0] for life in lives.values()} == {"new"}
    assert all(set(life[1:-1]) <= {"update"} for life in lives.values())
    assert all(life[-1] == "end" for track, life in lives.items() if track.startswith(last_run))


def test_nothing_ends_before_it_began(story: Story) -> None:
    """Times within a track's life are in order, but for the step from our clock to the camera's own."""
    for event in story.payloads("/events"):
        ended = event["frame_time"] if event["end_time"] is None else event["end_time"]

        assert event["start_time"] - CLOCK_STEP_S <= ended <= event["frame_time"] + CLOCK_STEP_S


def test_one_camera_away_leaves_the_other_alone(story: Story) -> None:
    """Events came from the gate while the yard was away, and the gate was never offline."""
    assert story.while_away >= 2
    assert {status["state"] for status in story.payloads("gate/status")} == {"connecting", "online", "stopped"}


def test_a_camera_tells_why_it_is_away(story: Story) -> None:
    """Offline with a typed reason each time, online without one."""
    told = [(status["state"], status["reason"]) for status in story.payloads("yard/status")]
    away = {reason for state, reason in told if state == "offline"}

    assert away <= {"ended", "refused", "stalled", "timeout"}
    assert away & {"ended", "refused"}
    assert away & {"stalled", "timeout"}
    assert {reason for state, reason in told if state != "offline"} == {None}
    assert told[-1] == ("stopped", None)


def test_the_site_tells_how_it_is(story: Story) -> None:
    """Online with what runs; the will when it is killed; stopped when it is asked to."""
    states = story.payloads("home/status")
    runs = list(dict.fromkeys(status["run_id"] for status in states))
    first_online = next(status for status in states if status["state"] == "online")

    assert len(runs) == 2
    assert [status["state"] for status in states if status["run_id"] == runs[0]][-1] == "offline"
    assert states[-1]["state"] == "stopped"
    assert first_online["engine"].startswith("onnxruntime")
    assert first_online["config_digest"] == states[-1]["config_digest"]


def test_the_sequence_goes_on_after_a_power_cut(story: Story) -> None:
    """The second run begins where the first ended."""
    events = story.payloads("/events")
    first = [event["sequence"] for event in events if event["run_id"] == events[0]["run_id"]]
    second = [event["sequence"] for event in events if event["run_id"] != events[0]["run_id"]]

    assert min(second) == max(first) + 1


def test_the_metrics_tell_the_story(story: Story) -> None:
    """Reconnects by reason, frames by outcome, messages, age."""
    metrics = story.metrics[0]

    assert total(metrics, "sitewatch_camera_reconnects_total", camera="yard") >= 3
    assert total(metrics, "sitewatch_camera_reconnects_total", camera="gate") == 0
    assert total(metrics, "sitewatch_mqtt_reconnects_total", reason="lost") >= 1
    assert total(metrics, "sitewatch_mqtt_reconnects_total") >= 2
    assert total(metrics, "sitewatch_mqtt_connected") == 1
    assert total(metrics, "sitewatch_camera_up") == 2
    assert total(metrics, "sitewatch_outbox_dropped_total") == 0
    assert total(metrics, "sitewatch_frames_total", outcome="captured") > 50
    acknowledged = total(metrics, "sitewatch_messages_total", kind="event", outcome="acknowledged")
    assert total(metrics, "sitewatch_frame_age_seconds_count") == acknowledged
    assert total(metrics, "sitewatch_frame_age_seconds_bucket", le="+Inf") == acknowledged
    assert total(metrics, "model_inference_total") > 50
    assert total(metrics, "detections_total", label="red") > 20


def test_it_is_alive_and_ready(story: Story) -> None:
    """The pages say so, and the status page knows the cameras."""
    assert {page: answer.code for page, answer in story.pages.items()} == dict.fromkeys(story.pages, 200)
    assert story.pages["/readyz"].json() == {"ready": True, "missing": []}
    assert story.pages["/healthz"].json()["stalled"] == []
    status = story.pages["/api/v1/status"].json()
    assert {name: camera["state"] for name, camera in status["cameras"].items()} == {"gate": "online", "yard": "online"}
    assert status["broker"] == {"connected": True}


def test_it_stops_when_asked(story: Story) -> None:
    """Within seconds, with exit status 0."""
    assert story.exit_status == 0
    assert story.stop_s < MOST_STOP_S


def test_no_credential_gets_out(story: Story) -> None:
    """Not in the log (the most talkative one), nor in metrics, pages or messages."""
    said = [story.written, *story.metrics, *(answer.text for answer in story.pages.values())]
    said += [message.payload.decode() for messages in story.messages.values() for message in messages]

    assert len(said) > 100
    for secret in (BROKER_PASSWORD, CAMERA_PASSWORD):
        assert not [text for text in said if secret in text]
