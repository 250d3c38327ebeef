"""Makes a running site run by other settings, part by part, and undoes it all where a part fails."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from agent.app.detection import Detection
from agent.app.line import inference_deadline_s
from agent.app.reload.cameras import CameraChanges
from agent.app.reload.difference import Effect
from agent.app.reload.reading import NewSite
from agent.app.reload.running_site import RunningSite
from agent.app.reload.tuning import tune_detection, tune_outside, tune_rates, tune_tracking
from agent.pipeline.channel import Beat
from agent.pipeline.line_change import LineStoppingError, StageStaysError
from agent.settings.models import SiteSettings

WORKERS = 1
# Beyond its deadline a hanging inference ends the process anyway.
WORKERS_MARGIN_S = 15.0


class RollBackFailedError(RuntimeError):
    """What was changed could not be undone."""


def apply(running: RunningSite, new: NewSite, detection: Detection | None, beat: Beat) -> None:
    """Run by the new settings.

    Args:
        running: knows afterwards what runs.
        new: read and checked.
        detection: made ready, where the model is another one; belongs to `running` when this returns.
        beat: called while something is waited for.

    Raises:
        LineStoppingError: the line stops, with whatever has been changed by then.
        StageStaysError, RollBackFailedError: neither the old nor the new runs whole; only a new process helps.
        Exception: a part failed; everything is as before.
    """
    before, undo = running.detection, ExitStack()
    with running.changes.opened():
        try:
            _apply_parts(running, new, detection, undo, beat)
        except (LineStoppingError, StageStaysError):
            raise
        except Exception:
            _roll_back(undo)
            raise
    running.site, running.plan = new.site, new.plan
    if detection is not None:
        before.close()


def _apply_parts(running: RunningSite, new: NewSite, detection: Detection | None, undo: ExitStack, beat: Beat) -> None:
    before, old = running.detection, running.site
    if new.changes.has(Effect.OUTGOING):
        running.outgoing.exchange(new.site)
        undo.callback(running.outgoing.exchange, old)
    if detection is not None:
        exchange_engine(running, detection, new.site, beat)
        undo.callback(exchange_engine, running, before, old, beat)
    _tune(running, old, new, undo)
    _change_cameras(running, new, undo, beat)


def _roll_back(undo: ExitStack) -> None:
    try:
        undo.close()
    except LineStoppingError:
        raise
    except Exception as error:
        raise RollBackFailedError(f"what ran before does not run again: {error}") from error


def exchange_engine(running: RunningSite, detection: Detection, site: SiteSettings, beat: Beat) -> None:
    """Let other workers detect; frames wait in their slots for the moment in between.

    Raises:
        LineStoppingError: the line stops.
        StageStaysError: a worker does not come back from its inference.
        DevicesError: the engine cannot be used by so many workers; nothing has changed.
    """
    try:
        workers = running.line.make_workers(detection, site)
    except Exception:
        running.line.call_workers_by(running.detection, running.site)
        raise
    running.changes.dismiss(running.line.workers, inference_deadline_s(running.site) + WORKERS_MARGIN_S, beat)
    running.line.hand_over_to(workers, detection, site)
    running.changes.enlist(WORKERS, workers, beat)
    running.detection = detection
    running.board.engine_chosen(detection)
    detection.tell_exchanged()


def _tune(running: RunningSite, old: SiteSettings, new: NewSite, undo: ExitStack) -> None:
    undo.callback(tune_outside, running, old)
    undo.callback(tune_tracking, running, new.site, old)
    if not new.has_other_model:
        undo.callback(tune_detection, running, old, running.plan)
        tune_detection(running, new.site, new.plan)
    tune_tracking(running, old, new.site)
    tune_outside(running, new.site)


def _change_cameras(running: RunningSite, new: NewSite, undo: ExitStack, beat: Beat) -> None:
    """Those that come first: so the line is never without any."""
    cameras, changes, old = CameraChanges(running, beat), new.changes, running.site
    for camera_id in changes.added:
        cameras.add(camera_id, new.site.cameras[camera_id])
        undo.callback(cameras.remove, camera_id)
    for camera_id, ends_tracks in changes.restarted.items():
        undo.callback(partial(cameras.restart, camera_id, old.cameras[camera_id], ends_tracks=ends_tracks))
        cameras.restart(camera_id, new.site.cameras[camera_id], ends_tracks=ends_tracks)
    for camera_id in changes.removed:
        cameras.remove(camera_id)
        undo.callback(cameras.add, camera_id, old.cameras[camera_id])
    undo.callback(tune_rates, running, new.site, old)
    tune_rates(running, old, new.site)
