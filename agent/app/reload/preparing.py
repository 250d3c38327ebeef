"""Everything of a new site file that can fail is tried before anything of the running site is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from agent.app.detection import Detection
from agent.app.reload.difference import Effect
from agent.app.reload.reading import NewSite
from agent.app.reload.requests import ReloadRequests
from agent.clock import Clock
from agent.pipeline.channel import WAIT_SLICE_S, Beat
from agent.pipeline.line_change import LineStoppingError
from agent.publish.mqtt_client import tls_context
from agent.settings.models import BrokerSettings, SinkKind
from agent.stream.open_source import open_source
from agent.stream.source import FrameNumbers
from agent.telemetry.stream import StreamHappenings

T = TypeVar("T")


def check_parts(new: NewSite, clock: Clock, stream: StreamHappenings) -> None:
    """Make what is made without effects: sources of cameras that start, certificates of the broker.

    Raises:
        SitewatchError: one of them cannot be made.
    """
    for camera_id in (*new.changes.added, *new.changes.restarted):
        settings = new.site.cameras[camera_id]
        open_source(camera_id, settings, clock=clock, numbers=FrameNumbers(), listener=stream).close()
    broker = new.site.broker if new.site.sink is SinkKind.MQTT and new.changes.has(Effect.OUTGOING) else None
    if isinstance(broker, BrokerSettings) and broker.tls is not None:
        tls_context(broker.tls)


class EnginePreparation:
    """Makes the engine of another model ready while the one in use goes on detecting."""

    def __init__(self, prepare: Callable[[NewSite], Detection], requests: ReloadRequests) -> None:
        """Nothing happens yet.

        Args:
            prepare: makes it ready; may take minutes.
            requests: tells when all is over.
        """
        self._prepare = prepare
        self._requests = requests
        self.is_left_alone = False

    def detection_for(self, new: NewSite, beat: Beat) -> Detection | None:
        """The detection of the new site; None where that in use serves it.

        Raises:
            SitewatchError, DevicesError: no engine can run the model.
            LineStoppingError: all is over; the thread that prepares is left alone, for it cannot be interrupted.
        """
        if not new.has_other_model:
            return None
        return self._beside(lambda: self._prepare(new), beat)

    def _beside(self, work: Callable[[], T], beat: Beat) -> T:
        """Do it in a thread of its own, beating meanwhile: the first build of an engine takes longer than a beat."""
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:  # noqa: BLE001 - the thread's outermost loop: it is raised again below
                failed.append(error)

        thread = threading.Thread(target=run, name="prepare", daemon=True)
        thread.start()
        while thread.is_alive():
            beat()
            thread.join(WAIT_SLICE_S)
            if self._requests.is_stopping and thread.is_alive():
                self.is_left_alone = True
                raise LineStoppingError("the line stops")
        if failed:
            raise failed[0]
        return done[0]
