"""Another engine is made ready beside the one in use, and nobody waits for it when all is over."""

from __future__ import annotations

import threading

import pytest

from agent.app.detection import Detection
from agent.app.reload.difference import Changes
from agent.app.reload.preparing import EnginePreparation
from agent.app.reload.reading import NewSite
from agent.app.reload.requests import ReloadRequests
from agent.errors import ModelError
from agent.pipeline.line_change import LineStoppingError
from agent.settings.models import SiteSettings

SITE = SiteSettings.model_validate(
    {"site": "home", "sink": "jsonl", "model": "motion", "cameras": {"gate": {"source": "rtsp://gate/1"}}}
)
MOTION = Detection("motion", "built in", (), ("motion",), 1, 1, 0.0, lambda: pytest.fail("not used"), lambda: None)


def new_site(*, has_other_model: bool = True) -> NewSite:
    """A site that asks for a model."""
    return NewSite(SITE, None, Changes((), (), (), {}), has_other_model)


def test_the_thread_beats_while_an_engine_is_made_ready() -> None:
    """It takes longer than a beat may; the waiting is no stall."""
    beats = threading.Event()

    def prepare(_new: NewSite) -> Detection:
        assert beats.wait(5.0)
        return MOTION

    preparation = EnginePreparation(prepare, ReloadRequests())

    assert preparation.detection_for(new_site(), beats.set) is MOTION
    assert not preparation.is_left_alone


def test_the_same_model_is_not_made_ready_again() -> None:
    """Whatever else has changed."""
    preparation = EnginePreparation(lambda _: pytest.fail("not asked for"), ReloadRequests())

    assert preparation.detection_for(new_site(has_other_model=False), lambda: None) is None


def test_what_goes_wrong_is_raised_to_who_waits() -> None:
    """With its own words."""

    def prepare(_new: NewSite) -> Detection:
        raise ModelError("no model")

    with pytest.raises(ModelError, match="no model"):
        EnginePreparation(prepare, ReloadRequests()).detection_for(new_site(), lambda: None)


def test_a_stop_does_not_wait_for_an_engine() -> None:
    """The thread cannot be interrupted; it is left alone, and that is said, for the process to end without it."""
    requests, over = ReloadRequests(), threading.Event()

    def prepare(_new: NewSite) -> Detection:
        over.wait(5.0)
        return MOTION

    preparation = EnginePreparation(prepare, requests)
    requests.stop()
    with pytest.raises(LineStoppingError):
        preparation.detection_for(new_site(), lambda: None)

    assert preparation.is_left_alone
    over.set()
    for thread in threading.enumerate():
        if thread.name == "prepare":
            thread.join(5.0)
