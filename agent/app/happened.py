"""Everything that tells what happens, made on one registry and one logger."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from agent.clock import Clock
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.devices import DeviceHappenings
from agent.telemetry.events import EventHappenings
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.process import ProcessHappenings
from agent.telemetry.publish import PublishHappenings
from agent.telemetry.reload import ReloadHappenings
from agent.telemetry.stream import StateListener, StreamHappenings
from agent.telemetry.teller import Teller
from agent.telemetry.track import TrackHappenings


@dataclass(frozen=True)
class Happened:
    """One teller a room."""

    teller: Teller
    process: ProcessHappenings
    stream: StreamHappenings
    detect: DetectHappenings
    track: TrackHappenings
    events: EventHappenings
    publish: PublishHappenings
    pipeline: PipelineHappenings
    devices: DeviceHappenings
    reload: ReloadHappenings

    def forget_camera(self, camera_id: str) -> None:
        """A camera never comes back; called when nothing of it is under way."""
        self.stream.removed(camera_id)
        for told in (self.detect, self.track, self.pipeline):
            told.forget(camera_id)
        self.teller.forget_camera(camera_id)


def make_happened(registry: CollectorRegistry, clock: Clock, on_camera: StateListener | None = None) -> Happened:
    """Make them all; `on_camera` hears every change of a camera's state."""
    teller = Teller(registry, logging.getLogger("sitewatch"), clock)
    stages = PipelineHappenings(teller)
    return Happened(
        teller,
        ProcessHappenings(teller, clock),
        StreamHappenings(teller, stages, on_camera),
        DetectHappenings(teller),
        TrackHappenings(teller),
        EventHappenings(teller),
        PublishHappenings(teller),
        stages,
        DeviceHappenings(teller),
        ReloadHappenings(teller, clock),
    )
