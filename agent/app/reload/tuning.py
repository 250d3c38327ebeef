"""What a line takes on while it runs, without anything of it starting anew."""

from __future__ import annotations

from agent.app.detection import label_filters
from agent.app.reload.running_site import RunningSite
from agent.app.rules import lifecycle_patience
from agent.app.tracker_makers import tracker_makers
from agent.detect.detection_plan import DetectionPlan
from agent.events.lifecycle import LifecycleRule
from agent.pipeline.channel import Beat
from agent.publish.outbox import OutboxLimits
from agent.settings.models import CameraMotionPolicy, SiteSettings


def tune_outside(running: RunningSite, site: SiteSettings) -> None:
    """Outbox, events on the wire, log."""
    running.log.retune(site.log.format, site.log.level)
    running.outbox.limit(OutboxLimits(int(site.outbox.max_size), float(site.outbox.max_age)))
    running.publisher.replay_at(site.outbox.replay_rate)
    running.outgoing.tune(site.events)


def tune_detection(running: RunningSite, site: SiteSettings, plan: DetectionPlan | None) -> None:
    """Thresholds, labels that count, rates; the model stays."""
    if plan is not None:
        running.detection.tune(plan)
    running.line.filter_with(label_filters(running.detection.labels, site.detection, site.cameras))


def tune_rates(running: RunningSite, old: SiteSettings, new: SiteSettings) -> None:
    """How many frames a second are looked at, and how old they may be, on the cameras that stay as they are."""
    for camera_id in old.cameras.keys() & new.cameras.keys():
        before, after = old.cameras[camera_id], new.cameras[camera_id]
        if (before.detect_fps, before.max_frame_age) != (after.detect_fps, after.max_frame_age):
            running.line.captures.look_at(camera_id, after)


def tune_tracking(running: RunningSite, old: SiteSettings, new: SiteSettings) -> None:
    """Trackers and rules take on other settings, each track under its number; a camera's new ground ends its tracks."""
    tracking, makers = running.line.tracking, tracker_makers(new)
    fits = running.fits(new, running.detection.labels)
    is_other = old.tracking != new.tracking or _special(old) != _special(new)
    new_ground = [name for name in old.cameras.keys() & new.cameras.keys()
                  if old.cameras[name].ground_points != new.cameras[name].ground_points]  # fmt: skip

    def take_on(beat: Beat) -> None:
        for camera_id in new_ground:
            tracking.end_tracks(camera_id, beat)
        if is_other:
            tracking.trackers.retune(makers.plain, makers.estimators, makers.grounds, new_ground)
        tracking.end_after(makers.silence_s)
        if tracking.keeper is not None:
            tracking.keeper.refit(fits, float(new.tracking.lost_patience))
        for rule in tracking.rules:
            if isinstance(rule, LifecycleRule):
                rule.retune(lifecycle_patience(new))

    tracking.order(take_on)


def _special(site: SiteSettings) -> dict[str, tuple[object, object]]:
    """The cameras whose trackers know more than boxes."""
    return {
        name: (camera.camera_motion, camera.ground_points)
        for name, camera in site.cameras.items()
        if camera.camera_motion is CameraMotionPolicy.COMPENSATE or camera.ground_points is not None
    }
