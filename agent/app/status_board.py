"""What the site and each camera are doing, kept in one place for the broker, the HTTP face and the service manager."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.app.detection import Detection
from agent.clock import Clock
from agent.errors import SourceFailure
from agent.publish.status import CameraState, CameraStatus, SiteState, SiteStatus
from agent.telemetry import stream

FPS_EVERY_S = 10.0
FPS_CHANGE = 0.2

CAMERA_STATES = {
    stream.CameraState.STARTING: CameraState.CONNECTING,
    stream.CameraState.UP: CameraState.ONLINE,
    stream.CameraState.RETRYING: CameraState.OFFLINE,
    stream.CameraState.ENDED: CameraState.ENDED,
}


@dataclass(frozen=True)
class Identity:
    """Who speaks: site, version, run, and the digest of the configuration that runs."""

    site_id: str
    version: str
    run_id: str
    config_digest: str


class StatusBoard:
    """Keeps every status, and passes on those that changed; any thread may call.

    What is passed on goes out under the lock: of two threads with news of one camera the later news stays retained.
    """

    def __init__(self, identity: Identity, camera_ids: list[str], clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._lock = threading.Lock()
        now = clock.now()
        self._site = SiteStatus(
            identity.site_id,
            SiteState.ONLINE,
            now,
            identity.version,
            identity.run_id,
            config_digest=identity.config_digest,
        )
        self._cameras = {camera_id: self._fresh(camera_id, now) for camera_id in camera_ids}
        self._publish: Callable[[CameraStatus], None] = lambda _: None
        self._is_stopping = False
        self._counted: dict[str, int] = {}
        self._counted_at_s = clock.monotonic_s()

    @property
    def site(self) -> SiteStatus:
        """The site's status as it is now."""
        return self._site

    def engine_chosen(self, detection: Detection) -> None:
        """It is known what detects."""
        self._site = replace(self._site, engine=detection.engine, engine_reason="; ".join(detection.why))

    def stopping(self) -> None:
        """The agent stops: a camera that ends from now on has not ended of itself."""
        self._is_stopping = True

    def publish_to(self, publish: Callable[[CameraStatus], None]) -> None:
        """Pass every camera's status on from now, beginning with what is known; `publish` must be quick."""
        with self._lock:
            self._publish = publish
            for status in self._cameras.values():
                publish(status)

    def on_camera(self, camera_id: str, state: stream.CameraState, reason: SourceFailure | None, detail: str) -> None:
        """A camera's state changed."""
        with self._lock:
            before = self._cameras[camera_id]
            now_state = self._shown(state)
            since = before.since if before.state is now_state else self._clock.now()
            told = None if reason is None else reason.value
            if now_state is CameraState.STOPPED:
                detail = "the agent was stopped"
            status = replace(before, state=now_state, since=since, reason=told, detail=detail)
            if now_state is not CameraState.ONLINE:
                status = replace(status, fps=None)
            self._cameras[camera_id] = status
            self._publish(status)

    def count_frames(self, captured: Mapping[str, int]) -> None:
        """Called by the main loop with the frames decoded so far; tells rates that changed, every ten seconds."""
        passed_s = self._clock.monotonic_s() - self._counted_at_s
        if passed_s < FPS_EVERY_S:
            return
        counted = dict(captured)  # a copy at once: a camera's first frame adds to it from another thread
        rates = {name: (count - self._counted.get(name, 0)) / passed_s for name, count in counted.items()}
        self._counted, self._counted_at_s = counted, self._clock.monotonic_s()
        for camera_id, fps in rates.items():
            self._tell_rate(camera_id, fps)

    def as_mapping(self) -> dict[str, object]:
        """Everything, for the HTTP face."""
        with self._lock:
            return {"site": self._site, "cameras": dict(self._cameras)}

    def sentence(self) -> str:
        """One line for `systemctl status`."""
        with self._lock:
            states = [status.state for status in self._cameras.values()]
        online = states.count(CameraState.ONLINE)
        return f"{online} of {len(states)} cameras online; {self._site.engine or 'no engine yet'}"

    def _shown(self, state: stream.CameraState) -> CameraState:
        if state is stream.CameraState.ENDED and self._is_stopping:
            return CameraState.STOPPED
        return CAMERA_STATES[state]

    def _tell_rate(self, camera_id: str, fps: float) -> None:
        with self._lock:
            before = self._cameras[camera_id]
            is_news = before.fps is None or abs(fps - before.fps) > FPS_CHANGE * max(before.fps, 1.0)
            if before.state is not CameraState.ONLINE or not is_news:
                return
            status = self._cameras[camera_id] = replace(before, fps=round(fps, 2))
            self._publish(status)

    def _fresh(self, camera_id: str, now: datetime) -> CameraStatus:
        return CameraStatus(self._identity.site_id, camera_id, self._identity.run_id, CameraState.CONNECTING, now)
