"""Danger: a camera's picture changes its size or codec, or its clocks jump, while it is watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from clips.rendered import Square, render_clip
from dangers.camera_site import CameraSite
from live.agent_process import until
from servers.rtp_packets import TICKS_PER_S
from servers.strange_camera import StrangeCamera
from servers.transport_stream import WRAP_S, TransportStream, write_transport_stream

SMALL_PX, LARGE_PX, CLIP_S, FPS = (320, 180), (640, 360), 2.0, 10
MOST_AGE_S = 1.0
RECONNECTS = "sitewatch_camera_reconnects_total"
# A jump is to end no track; a machine that has no time for a moment is not the danger here.
PATIENT = {"lost_patience": "10s"}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def still_clip(path: Path, size_px: tuple[int, int], codec: str = "h264") -> Path:
    """A red square that stands still: one track, for as long as nothing happens to it."""
    square = Square(1, 0, 0.0, CLIP_S + 1.0, (100, 60), (100, 60))
    render_clip(path, seconds=CLIP_S, fps=FPS, size=size_px, squares=(square,), codec=codec)
    return path


def source(camera: StrangeCamera) -> dict[str, Any]:
    return {"source": camera.url}


def ages_are_sane(site: CameraSite, names: tuple[str, ...]) -> bool:
    """Whether the newest frame of each, by our clock or the camera's, is fresh."""
    page = "sitewatch_camera_last_frame_timestamp_seconds"
    return all(abs(time.time() - site.agent.metric(page, camera=name)) < MOST_AGE_S for name in names)


def test_camera_with_another_picture(tmp_path: Path, stack: ExitStack) -> None:
    """Another size is followed at once; another codec, which RTSP cannot announce, costs one new connection."""
    small, large = still_clip(tmp_path / "s.mp4", SMALL_PX), still_clip(tmp_path / "l.mp4", LARGE_PX)
    other = still_clip(tmp_path / "h.mp4", SMALL_PX, "hevc")
    grows, changes = (stack.enter_context(StrangeCamera(small)) for _ in range(2))
    site = stack.enter_context(
        CameraSite(tmp_path, {"grows": source(grows), "changes": source(changes)}, model="motion")
    )
    site.await_frames("grows", "changes")
    grows.play(large)
    changes.play(other)

    until(lambda: "640x360" in str(site.cameras()["grows"]["detail"]), "the new size is told")
    site.await_frames("grows")
    site.await_state("changes", "offline", "codec")
    until(lambda: "hevc" in str(site.cameras()["changes"]["detail"]), "the new codec is told")
    site.await_frames("changes")
    assert (grows.sessions, changes.sessions) == (1, 2)
    assert site.agent.stop() == 0
    site.assert_sane()


def test_camera_whose_clocks_jump(tmp_path: Path, stack: ExitStack) -> None:
    """Stream time leaps ahead, back, over its end; wall time ahead, back: one track each, fresh frames, sane times."""
    clip = still_clip(tmp_path / "clip.mp4", SMALL_PX)
    nearly_over = 2**32 - TICKS_PER_S
    begins = {"ahead": 0, "back": 200 * TICKS_PER_S, "over": nearly_over, "clock_ahead": 1, "clock_back": 1}
    cameras = {name: stack.enter_context(StrangeCamera(clip, rtp_time=at)) for name, at in begins.items()}
    site = stack.enter_context(
        CameraSite(tmp_path, {name: source(camera) for name, camera in cameras.items()}, tracking=PATIENT)
    )
    site.await_frames(*cameras, more=8)
    assert ages_are_sane(site, tuple(cameras))
    cameras["ahead"].jump_stream(100.0)
    cameras["back"].jump_stream(-100.0)
    cameras["clock_ahead"].jump_clock(60.0)
    cameras["clock_back"].jump_clock(-60.0)
    site.await_frames(*cameras, more=12)
    until(lambda: ages_are_sane(site, ("ahead", "back", "over")), "fresh frames")
    offsets = {n: site.agent.metric("sitewatch_camera_clock_offset_seconds", camera=n) for n in cameras}
    dropped = sum(site.frames(name, "dropped_stale") for name in cameras)

    assert site.agent.stop() == 0
    site.assert_sane()
    assert {name: len(site.lives(name)) for name in cameras} == dict.fromkeys(cameras, 1)
    assert {name: camera.sessions for name, camera in cameras.items()} == dict.fromkeys(cameras, 1)
    assert offsets["clock_ahead"] == pytest.approx(60.0, abs=1.0)
    assert offsets["clock_back"] == pytest.approx(-60.0, abs=1.0)
    assert dropped == 0
    for name in cameras:
        life = site.lives(name)[0]
        assert 1.5 < life[-1]["end_time"] - life[-1]["start_time"] < 30.0, (name, life[-1])


@pytest.mark.ffmpeg
def test_transport_stream_that_changes(tmp_path: Path, stack: ExitStack) -> None:
    """MPEG-TS over HTTP: times begin anew at their end and in each loop; another codec costs one new connection."""
    clip, other = still_clip(tmp_path / "a.mp4", SMALL_PX), still_clip(tmp_path / "h.mp4", LARGE_PX, "hevc")
    parts = [
        write_transport_stream(tmp_path / f"{n}.ts", clip, begins_at_s=WRAP_S - 1.0 + n * CLIP_S) for n in range(2)
    ]
    wraps = stack.enter_context(TransportStream(parts, CLIP_S))
    last = write_transport_stream(tmp_path / "last.ts", other, begins_at_s=2 * CLIP_S - 1.0)
    changes = stack.enter_context(TransportStream([*parts, last], CLIP_S))
    site = stack.enter_context(
        CameraSite(tmp_path, {"wraps": {"source": wraps.url}, "changes": {"source": changes.url}}, model="motion")
    )
    site.await_frames("wraps", more=45)
    assert ages_are_sane(site, ("wraps",))
    until(lambda: site.agent.metric(RECONNECTS, camera="changes", reason="codec") >= 1, "the other codec is noticed")
    site.await_frames("changes")
    assert site.agent.metric(RECONNECTS, camera="wraps") == 0
    assert site.agent.stop() == 0
    site.assert_sane()
