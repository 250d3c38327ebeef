"""Makes the thread that reloads a site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.app.detection import Detection, prepare_detection
from agent.app.happened import Happened
from agent.app.life import PREPARATION_S
from agent.app.machine import Machine
from agent.app.reload.preparing import EnginePreparation
from agent.app.reload.reading import NewSite
from agent.app.reload.reloader import Reloader, SiteFile
from agent.app.reload.requests import ReloadRequests
from agent.app.reload.running_site import RunningSite
from agent.clock import Clock
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.stage import Stage
from agent.service.notify import Notifier
from agent.telemetry.log import Log

# A model is read, and run once, in one beat.
HEARTBEAT_LIMIT_S = 120.0


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a site's settings come from, and what is outside of the run that they reach.

    Attributes:
        file: the site file.
        requests: filled by the signal handler, from the start of the process on.
        log: the process's.
    """

    file: SiteFile
    requests: ReloadRequests
    log: Log


@dataclass(frozen=True, eq=False)
class Reloading:
    """The stage, and how it is with the thread that prepares an engine beside it."""

    stage: Stage
    is_thread_left: Callable[[], bool]


def make_reloading(
    origin: Origin,
    running: Callable[[], RunningSite],
    folder: Path,
    *,
    notifier: Notifier,
    clock: Clock,
    happened: Happened,
    is_ready: Callable[[], bool],
) -> Reloading:
    """Make it; nothing is read yet.

    Args:
        origin: of the settings.
        running: gives the site that runs, once the line does.
        folder: where engines are kept.
        notifier: tells the service manager.
        clock: for everything that needs time.
        happened: is told what happens.
        is_ready: whether the start is over.
    """

    def prepare(new: NewSite) -> Detection:
        return prepare_detection(
            new.site.model, new.site.detection, new.site.cameras, Machine.of_site(new.site),
            clock=clock, happened=happened, folder=folder, building=partial(_tell_building, notifier),
        )  # fmt: skip

    preparation = EnginePreparation(prepare, origin.requests)

    def run(beat: Callable[[], None]) -> None:
        Reloader(
            origin.file, running(), origin.requests, preparation,
            notifier=notifier, clock=clock, happened=happened.reload, is_ready=is_ready,
        ).run(beat)  # fmt: skip

    stage = Stage("reload", run, origin.requests.stop, Heartbeat("reload", clock, HEARTBEAT_LIMIT_S))
    return Reloading(stage, lambda: preparation.is_left_alone)


def _tell_building(notifier: Notifier, sentence: str) -> None:
    notifier.extend_timeout(PREPARATION_S)
    notifier.status(f"reload: {sentence}")
