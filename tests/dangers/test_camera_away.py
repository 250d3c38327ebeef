"""Danger: cameras are killed, freeze, refuse us, vanish, flap; each is told as what it is, and others do not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.camera_site import CameraSite
from live.agent_process import until
from live.sites import write_clip
from servers.black_hole import BlackHole
from servers.ports import free_port
from servers.rtsp import RtspServer

pytestmark = pytest.mark.rtsp
STALL_S = 1.0
# Noticed within the time-out, a turn of the reader and of the page that tells it.
NOTICED_S = STALL_S + 1.5
LEAST_SHARE = 0.8
FPS = 10
LONG_AWAY = 6
USUAL = {
    "open_timeout": "10s", "read_timeout": "10s", "stall_timeout": "10s", "retry_min": "1s", "retry_max": "30s",
}  # fmt: skip
MEASURE_S = 6.0
# Of one core, each.
MOST_COST = 0.01


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def test_camera_killed_frozen_and_flapping(tmp_path: Path, clip: Path, stack: ExitStack) -> None:
    """Killed and back, frozen and thawed, up and down five times: noticed in time, back by itself, sequence rising."""
    calm, poor = (stack.enter_context(RtspServer({"view": clip})) for _ in range(2))
    site = stack.enter_context(
        CameraSite(tmp_path, {"calm": {"source": calm.url("view")}, "poor": {"source": poor.url("view")}})
    )
    site.await_frames("poor")
    before, began_s = site.frames("calm"), time.monotonic()

    poor.kill()
    site.await_state("poor", "offline", "refused", "ended")
    retries = "sitewatch_camera_reconnects_total"
    until(lambda: site.agent.metric(retries, camera="poor", reason="refused") >= LONG_AWAY, "it is away for long")
    poor.start()
    site.await_frames("poor")
    poor.freeze()
    frozen_s = time.monotonic()
    site.await_state("poor", "offline", "stalled", "timeout")
    assert time.monotonic() - frozen_s < NOTICED_S
    poor.thaw()
    site.await_frames("poor")
    for _ in range(5):
        poor.kill()
        poor.start()
        time.sleep(0.1)
    site.await_frames("poor")

    seen = (site.frames("calm") - before) / (time.monotonic() - began_s)
    assert seen > LEAST_SHARE * FPS
    assert site.agent.metric(retries, camera="calm") == 0
    assert site.agent.stop() == 0
    site.assert_sane()


def test_camera_unreachable_from_the_start(tmp_path: Path, clip: Path, stack: ExitStack) -> None:
    """Wrong password, nobody there, no answer, no such view: a reason each; one comes after a while; the rest go on."""
    good = stack.enter_context(RtspServer({"view": clip}, user="viewer", password="right"))
    late, frozen = RtspServer({"view": clip}, port=free_port()), stack.enter_context(RtspServer({"view": clip}))
    frozen.freeze()
    hole = stack.enter_context(BlackHole())
    address = good.url("view").removeprefix("rtsp://")
    cameras = {
        "good": {"source": f"rtsp://viewer:right@{address}"},
        "wrong": {"source": f"rtsp://viewer:wr0ng@{address}"},
        "none": {"source": f"rtsp://viewer:right@{address.replace('/view', '/nothing')}"},
        "hole": {"source": f"rtsp://127.0.0.1:{hole.port}/view"},
        "mute": {"source": frozen.url("view")},
        "late": {"source": late.url("view")},
    }
    site = stack.enter_context(CameraSite(tmp_path, cameras))
    expected = {"wrong": "unauthorised", "none": "not_found", "hole": "timeout", "mute": "timeout", "late": "refused"}
    for camera, reason in expected.items():
        site.await_state(camera, "offline", reason)
    until(lambda: site.agent.metric("sitewatch_site_state", state="degraded") == 1, "the site says so")
    reasons = site.agent.get("/api/v1/status").json()["site"]["health"]["reasons"]
    late.start()
    stack.callback(late.stop)
    site.await_frames("late")

    assert {reason for reason in reasons if "is away" in reason} <= {f"{c} is away ({r})" for c, r in expected.items()}
    assert site.state("good") == ("online", None)
    assert site.frames("good") > 0
    assert site.agent.stop() == 0
    assert "wr0ng" not in site.agent.log
    site.assert_sane()


def test_what_dead_cameras_cost(tmp_path: Path, clip: Path, stack: ExitStack) -> None:
    """Refused, unanswered and frozen, with the usual pauses: less than a hundredth of a core each."""
    frozen, hole = stack.enter_context(RtspServer({"view": clip})), stack.enter_context(BlackHole())
    frozen.freeze()
    addresses = {
        "refused": f"rtsp://127.0.0.1:{free_port()}/view",
        "hole": f"rtsp://127.0.0.1:{hole.port}/view",
        "frozen": frozen.url("view"),
    }
    cameras = {name: {"source": address, **USUAL} for name, address in addresses.items()}
    site = stack.enter_context(CameraSite(tmp_path, cameras, model="motion"))
    site.await_state("refused", "offline", "refused")
    before_s, began_s = site.agent.metric("process_cpu_seconds_total"), time.monotonic()
    time.sleep(MEASURE_S)
    cost = (site.agent.metric("process_cpu_seconds_total") - before_s) / (time.monotonic() - began_s)

    assert cost < MOST_COST * len(cameras)
    assert site.agent.stop() == 0
