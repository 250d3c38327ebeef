"""What the site and each camera are doing, kept in one place for the broker, the HTTP face and the service manager."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.app.detection import Detection
from agent.clock import Clock
from agent.errors import SourceFailure
from agent.publish.status import CameraState, CameraStatus, Health, SiteState, SiteStatus
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
        self._publish_site: Callable[[SiteStatus], None] = lambda _: None
        self._leaving: dict[str, str] = {}
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

    def publish_site_to(self, publish: Callable[[SiteStatus], None]) -> None:
        """Pass the site's status on whenever it changes from now on; `publish` must be quick."""
        with self._lock:
            self._publish_site = publish

    def reloaded(self, told: str, config_digest: str) -> None:
        """The site file was looked at anew: what became of it, and what runs now."""
        with self._lock:
            self._site = replace(self._site, reload=told, config_digest=config_digest)
            self._publish_site(self._site)

    def health_changed(self, health: Health) -> None:
        """The site does its work better or worse than before."""
        with self._lock:
            self._site = replace(self._site, health=health)
            self._publish_site(self._site)

    def offline(self) -> dict[str, str]:
        """Cameras that are away, each with the reason in a word."""
        with self._lock:
            cameras = list(self._cameras.items())
        return {name: status.reason or "lost" for name, status in cameras if status.state is CameraState.OFFLINE}

    def camera_added(self, camera_id: str) -> None:
        """A camera is about to be started, for the first time or anew."""
        with self._lock:
            self._leaving.pop(camera_id, None)
            status = self._cameras[camera_id] = self._fresh(camera_id, self._clock.now())
            self._publish(status)

    def camera_leaving(self, camera_id: str, why: str) -> None:
        """A camera is about to be stopped while the others go on."""
        with self._lock:
            self._leaving[camera_id] = why

    def camera_removed(self, camera_id: str) -> None:
        """A stopped camera is none of the site's any more."""
        with self._lock:
            self._leaving.pop(camera_id, None)
            before = self._cameras.pop(camera_id)
            if before.state is not CameraState.STOPPED:  # it had ended before, or never begun
                detail = "the site file does not name it any more"
                self._publish(replace(before, state=CameraState.STOPPED, reason=None, detail=detail, fps=None))

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
            now_state = self._shown(camera_id, state)
            since = before.since if before.state is now_state else self._clock.now()
            told = None if reason is None else reason.value
            if now_state is CameraState.STOPPED:
                detail = self._leaving.get(camera_id, "the agent was stopped")
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
        rates = {name: _more(count, self._counted.get(name, 0)) / passed_s for name, count in counted.items()}
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
        reload = "" if not self._site.reload else f"; reload: {self._site.reload}"
        health = self._site.health
        told = health.state.value if not health.reasons else f"{health.state.value} ({'; '.join(health.reasons)})"
        return f"{online} of {len(states)} cameras online, {told}; {self._site.engine or 'no engine yet'}{reload}"

    def _shown(self, camera_id: str, state: stream.CameraState) -> CameraState:
        if state is stream.CameraState.ENDED and (self._is_stopping or camera_id in self._leaving):
            return CameraState.STOPPED
        return CAMERA_STATES[state]

    def _tell_rate(self, camera_id: str, fps: float) -> None:
        with self._lock:
            before = self._cameras.get(camera_id)
            if before is None:  # removed a moment ago
                return
            is_news = before.fps is None or abs(fps - before.fps) > FPS_CHANGE * max(before.fps, 1.0)
            if before.state is not CameraState.ONLINE or not is_news:
                return
            status = self._cameras[camera_id] = replace(before, fps=round(fps, 2))
            self._publish(status)

    def _fresh(self, camera_id: str, now: datetime) -> CameraStatus:
        return CameraStatus(self._identity.site_id, camera_id, self._identity.run_id, CameraState.CONNECTING, now)


def _more(count: int, before: int) -> int:
    """How far a count has risen; a camera that was started anew counts from nothing."""
    return count - before if count >= before else count
