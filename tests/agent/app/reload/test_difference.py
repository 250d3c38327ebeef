"""What a changed site file costs, key by key."""

from __future__ import annotations

from typing import Any

import pytest

from agent.app.reload.difference import CAMERA_EFFECTS, SITE_EFFECTS, Effect, applicable, difference
from agent.settings.models import CameraSettings, SiteSettings

CAMERA: dict[str, Any] = {"source": "rtsp://viewer:secret@camera/1", "detect_fps": 5}
SITE: dict[str, Any] = {
    "site": "home",
    "model": "motion",
    "broker": {"host": "broker", "username": "agent", "password": "one"},
    "cameras": {"gate": CAMERA, "yard": {"source": "rtsp://camera/2"}},
}


def site(**changed: Any) -> SiteSettings:
    """The site with sections of another content."""
    return SiteSettings.model_validate({**SITE, **changed})


def with_camera(**changed: Any) -> SiteSettings:
    """The site with keys of the camera `gate` changed."""
    return site(cameras={**SITE["cameras"], "gate": {**CAMERA, **changed}})


@pytest.mark.parametrize(
    ("new", "key", "effect"),
    [
        (site(site="office"), "site", Effect.SERVICE),
        (site(state_dir="/var/lib/other"), "state_dir", Effect.SERVICE),
        (site(http={"port": 9000}), "http.port", Effect.SERVICE),
        (site(tracking={"keep_over_restart": "on"}), "tracking.keep_over_restart", Effect.SERVICE),
        (site(model={"path": "/m.onnx"}), "model", Effect.MODEL),
        (site(base_topic="other"), "base_topic", Effect.OUTGOING),
        (site(broker={**SITE["broker"], "password": "two"}), "broker.password", Effect.OUTGOING),
        (site(broker="embedded"), "broker", Effect.OUTGOING),
        (site(detection={"score_threshold": 0.3}), "detection.score_threshold", Effect.IN_PLACE),
        (site(detection={"score_thresholds": {"motion": 0.3}}), "detection.score_thresholds", Effect.IN_PLACE),
        (site(tracking={"lost_patience": "9s"}), "tracking.lost_patience", Effect.IN_PLACE),
        (site(outbox={"max_size": "2MiB"}), "outbox.max_size", Effect.IN_PLACE),
        (site(events={"detections": "off"}), "events.detections", Effect.IN_PLACE),
        (site(log={"level": "debug"}), "log.level", Effect.IN_PLACE),
        (with_camera(detect_fps=9), "cameras.gate.detect_fps", Effect.IN_PLACE),
        (with_camera(keep_labels=["motion"]), "cameras.gate.keep_labels", Effect.IN_PLACE),
        (with_camera(source="rtsp://camera/other"), "cameras.gate.source", Effect.VIEW),
        (with_camera(source="rtsp://viewer:other@camera/1"), "cameras.gate.source", Effect.RECONNECT),
        (with_camera(read_timeout="3s"), "cameras.gate.read_timeout", Effect.RECONNECT),
    ],
)
def test_one_changed_key_is_found_with_its_cost(new: SiteSettings, key: str, effect: Effect) -> None:
    """That key alone, and a camera starts anew only where its key says so."""
    changes = difference(site(), new)

    assert [(".".join(map(str, path)), found) for path, found in changes.keys] == [(key, effect)]
    assert (changes.added, changes.removed) == ((), ())
    starts_anew = effect in {Effect.VIEW, Effect.RECONNECT}
    assert changes.restarted == ({"gate": effect is Effect.VIEW} if starts_anew else {})
    assert f"{key}: {effect.value}" in changes.told()


def test_cameras_come_and_go() -> None:
    """A camera under another name is one less and one more; the order they are written in means nothing."""
    renamed = difference(site(), site(cameras={"yard": SITE["cameras"]["yard"], "door": CAMERA}))

    assert (renamed.added, renamed.removed, renamed.restarted) == (("door",), ("gate",), {})
    assert not difference(site(), site(cameras=dict(reversed(SITE["cameras"].items()))))


def test_equal_settings_ask_for_nothing() -> None:
    """Also where they are spelled otherwise."""
    assert not difference(site(), site(tracking={"lost_patience": "2000ms"}))


def test_the_costliest_of_several_changes_of_a_camera_counts() -> None:
    """A new address and a new time-out: it starts anew, and its tracks end."""
    assert difference(site(), with_camera(source="rtsp://other/1", read_timeout="3s")).restarted == {"gate": True}


def test_known_ground_ends_the_tracks_of_a_camera_that_goes_on() -> None:
    """Its pictures are not interrupted."""
    points = [{"image": [x, y], "ground": [x * 9, y * 9]} for x, y in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))]
    changes = difference(site(), with_camera(ground_points=points))

    assert changes.ended_cameras == {"gate"}
    assert changes.restarted == {}


def test_what_needs_a_restart_keeps_its_old_value_and_the_rest_is_new() -> None:
    """Section by section; the HTTP face stays as a whole, so that an open address never loses its token."""
    old = site(http={"host": "0.0.0.0", "token": "t"}, tracking={"lost_patience": "5s"})  # noqa: S104 - never opened
    new = site(
        site="office", http={"port": 9000}, tracking={"lost_patience": "9s", "keep_over_restart": "on"},
        log={"level": "debug"},
    )  # fmt: skip
    running = applicable(old, new)

    expected = {"site", "tracking.keep_over_restart", "http.host", "http.port", "http.token"}
    assert set(difference(old, new).refused_keys) == expected
    assert (running.site, running.http) == ("home", old.http)
    assert running.tracking == old.tracking.model_copy(update={"lost_patience": new.tracking.lost_patience})
    assert running.log.level == "debug"
    assert not difference(old, running).has(Effect.SERVICE)


def test_every_key_has_its_cost() -> None:
    """A key added to the site file must be given one; none is left of keys that are gone."""
    sections = {name.split(".")[0] for name in SITE_EFFECTS}

    assert sections == set(SiteSettings.model_fields) - {"cameras"}
    assert set(CAMERA_EFFECTS) == set(CameraSettings.model_fields)
