"""Cameras that come, go and start anew in a line that runs."""

from __future__ import annotations

from agent.app.captures import slot_policy
from agent.app.reload.running_site import RunningSite
from agent.app.works.ticketed import Farewell, Ticketed
from agent.pipeline.channel import Beat
from agent.settings.models import CameraSettings

CAPTURES = 0
# Sources let go within a second, where the machine has time for it.
LEAVE_WITHIN_S = 15.0
REMOVED = "the site file does not name it any more"
RESTARTED = "it starts anew with changed settings"


class CameraChanges:
    """One camera after the other; used by the thread that reloads. The other cameras do not notice.

    All raise `LineStoppingError` when the line stops, and `StageStaysError` where a camera does not let go.
    """

    def __init__(self, running: RunningSite, beat: Beat) -> None:
        self._running = running
        self._line = running.line
        self._beat = beat

    def add(self, camera_id: str, settings: CameraSettings) -> None:
        """Begin with it; what counts on it is known to the line already."""
        self._line.slots.add(camera_id, slot_policy(settings))
        try:
            self._start(camera_id, settings)
        except ValueError:  # somebody has its thread's name
            self._line.slots.retire(camera_id)
            self._forget(camera_id)
            raise

    def remove(self, camera_id: str) -> None:
        """Stop it; its tracks end behind its last frame."""
        self._stop(camera_id, REMOVED)
        self._say_farewell(camera_id, self._line.slots.retire(camera_id))
        self._forget(camera_id)

    def restart(self, camera_id: str, settings: CameraSettings, *, ends_tracks: bool) -> None:
        """Stop it and begin anew; with `ends_tracks` its tracks end behind its last frame."""
        self._stop(camera_id, RESTARTED)
        if ends_tracks:
            self._say_farewell(camera_id, self._line.slots.renew(camera_id, slot_policy(settings)))
        self._line.slots.add(camera_id, slot_policy(settings))
        self._start(camera_id, settings)

    def _start(self, camera_id: str, settings: CameraSettings) -> None:
        self._running.board.camera_added(camera_id)
        stage = self._line.captures.make(camera_id, settings)
        self._running.changes.enlist(CAPTURES, [stage], self._beat)

    def _stop(self, camera_id: str, why: str) -> None:
        self._running.board.camera_leaving(camera_id, why)
        stage = self._line.captures.stage_of(camera_id)
        self._running.changes.dismiss([stage], LEAVE_WITHIN_S, self._beat)
        self._running.happened.stream.removed(camera_id)

    def _forget(self, camera_id: str) -> None:
        self._line.captures.forget(camera_id)
        self._running.board.camera_removed(camera_id)

    def _say_farewell(self, camera_id: str, ticket: int) -> None:
        self._line.detected.put(Ticketed(camera_id, ticket, Farewell(camera_id)), self._beat)
