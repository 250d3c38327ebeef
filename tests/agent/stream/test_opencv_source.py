from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import cv2
import pytest
from fakes.frame_source import camera_context

from agent.errors import SourceError, SourceFailure
from agent.stream.limits import Limits
from agent.stream.opencv_source import DeviceKind, OpencvSource, has_gstreamer

SYSTEM_PYTHON = "/usr/bin/python3"
CHILD = """
import json, sys, threading
sys.path[:0] = {path!r}
from fakes.frame_source import RecordingListener, camera_context
from agent.errors import SourceError
from agent.stream.limits import Limits
from agent.stream.opencv_source import DeviceKind, OpencvSource
listener = RecordingListener()
source = OpencvSource(camera_context(listener), DeviceKind.GSTREAMER, {pipeline!r}, Limits(), shown="test pipeline")
infos, shapes, failure = [], set(), None
try:
    for frame in source.frames():
        infos.append([frame.info.sequence, frame.info.captured_monotonic_s, frame.info.clock_source.value])
        shapes.add((frame.picture.full().shape, frame.picture.scaled(32, 24).shape))
        if len(infos) == {stop_after}:
            threading.Timer(0.2, source.close).start()
except SourceError as error:
    failure = [error.failure.value, error.detail]
opened = [[stream.width_px, stream.height_px, stream.fps] for _, stream in listener.of("opened")]
print(json.dumps([infos, sorted(shapes), opened, failure]))
"""


def source_of(kind: DeviceKind, location: str) -> OpencvSource:
    return OpencvSource(camera_context(), kind, location, Limits(1, 1, 1), shown="shown")


def run_child(config: pytest.Config, pipeline: str, stop_after: int = -1) -> Any:
    path = [str(config.rootpath), str(config.rootpath / "tests")]
    code = CHILD.format(path=path, pipeline=pipeline, stop_after=stop_after)
    done = subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.gstreamer_opencv
def test_a_gstreamer_pipeline_delivers(pytestconfig: pytest.Config) -> None:
    """With an OpenCV that has GStreamer, every frame of a pipeline comes, and its end is told as such."""
    pipeline = (
        "gst: videotestsrc num-buffers=12 ! video/x-raw,width=160,height=120,framerate=30/1 "
        "! videoconvert ! video/x-raw,format=BGR ! appsink"
    )

    infos, shapes, opened, failure = run_child(pytestconfig, pipeline)

    assert [info[0] for info in infos] == list(range(1, 13))
    assert [info[1] for info in infos] == sorted(info[1] for info in infos)
    assert shapes == [[[120, 160, 3], [24, 32, 3]]]
    assert opened == [[160, 120, 30.0]]
    assert failure[0] == "ended"


@pytest.mark.gstreamer_opencv
def test_a_live_pipeline_is_closed(pytestconfig: pytest.Config) -> None:
    """A pipeline that would run for ever ends without failure when it is closed."""
    pipeline = "videotestsrc is-live=true ! videoconvert ! video/x-raw,format=BGR ! appsink"

    infos, _, _, failure = run_child(pytestconfig, pipeline, stop_after=3)

    assert len(infos) >= 3
    assert {info[2] for info in infos} <= {"pts", "host"}
    assert failure is None


@pytest.mark.gstreamer_opencv
@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        ("videotestsrc ! no-such-element ! appsink", "gst-launch"),
        ("videotestsrc ! video/x-raw,format=NV12 ! appsink", "format=BGR"),
    ],
    ids=["unknown element", "not BGR"],
)
def test_a_pipeline_that_does_not_fit_is_told(pytestconfig: pytest.Config, pipeline: str, words: str) -> None:
    """One that cannot start, or gives something else than BGR, is a failure with what to do."""
    *_, failure = run_child(pytestconfig, pipeline)

    assert failure[0] == "unsupported"
    assert words in failure[1]


@pytest.mark.skipif(has_gstreamer(cv2.getBuildInformation()), reason="this OpenCV has GStreamer")
def test_without_gstreamer_it_says_what_to_install() -> None:
    """The wheel from the package index has no GStreamer: the failure names the package that has."""
    with pytest.raises(SourceError, match="python3-opencv") as caught:
        list(source_of(DeviceKind.GSTREAMER, "videotestsrc ! appsink").frames())

    assert caught.value.failure is SourceFailure.UNSUPPORTED


@pytest.mark.parametrize(
    ("lines", "answer"),
    [("  GStreamer:                   YES (1.22.0)", True), ("  GStreamer:   NO", False), ("  FFMPEG: YES", False)],
)
def test_what_the_build_says_of_gstreamer(lines: str, *, answer: bool) -> None:
    """Only the line of GStreamer itself counts."""
    assert has_gstreamer(f"Video I/O:\n{lines}\n") is answer


@pytest.mark.skipif(sys.platform != "linux", reason="device nodes are Linux's")
@pytest.mark.parametrize("location", ["/dev/video241", "241"])
def test_a_camera_that_is_not_plugged_in_is_not_found(location: str) -> None:
    """By number and by node, with the node in the sentence."""
    with pytest.raises(SourceError, match="/dev/video241") as caught:
        list(source_of(DeviceKind.USB, location).frames())

    assert caught.value.failure is SourceFailure.NOT_FOUND
