from __future__ import annotations

from pathlib import Path

import pytest
from clips.rendered import render_clip
from fakes.frame_source import RecordingListener

from agent.clock import SystemClock
from agent.errors import SourceError, SourceFailure
from agent.settings.models import CameraSettings
from agent.stream.open_source import open_source
from agent.stream.opencv_source import OpencvSource
from agent.stream.pyav_source import PyavSource
from agent.stream.source import FrameNumbers, FrameSource


def opened(**settings: object) -> FrameSource:
    camera = CameraSettings.model_validate(settings)
    return open_source("gate", camera, clock=SystemClock(), numbers=FrameNumbers(), listener=RecordingListener())


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("rtsp://10.0.0.5/stream1", PyavSource),
        ("https://example.org/live.m3u8", PyavSource),
        ("/clips/street.mp4", PyavSource),
        (0, OpencvSource),
        ("/dev/video2", OpencvSource),
        ("videotestsrc ! videoconvert ! appsink", OpencvSource),
    ],
)
def test_the_address_decides(source: object, kind: type[object]) -> None:
    """Network and files through PyAV, devices and pipelines through OpenCV; nothing is opened yet."""
    assert isinstance(opened(source=source), kind)


def test_a_clip_plays_as_its_settings_say(tmp_path: Path) -> None:
    """Pace and playback of the site file reach the source."""
    path = tmp_path / "clip.mp4"
    render_clip(path, seconds=1, fps=10, size=(320, 180))

    frames = list(opened(source=str(path), pace="fast", playback="once").frames())

    assert [frame.info.sequence for frame in frames] == list(range(1, 11))
    assert {frame.info.camera_id for frame in frames} == {"gate"}


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "rtsp://guard:s3cret-word@no-such-host.invalid/x"},
        {"source": "rtsp://no-such-host.invalid/x", "username": "guard", "password": "s3cret-word"},
        {"source": "http://guard:s3cret-word@no-such-host.invalid/x.mp4"},
    ],
)
def test_credentials_reach_no_message(settings: dict[str, object]) -> None:
    """Wherever they were written, they are in no sentence."""
    source = opened(**settings)
    with pytest.raises(SourceError) as caught:
        list(source.frames())

    assert caught.value.failure is SourceFailure.UNREACHABLE
    assert "s3cret" not in str(caught.value) + repr(source) + repr(caught.value)
    assert "no-such-host.invalid" in str(caught.value)
