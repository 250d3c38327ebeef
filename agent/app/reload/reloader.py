"""The thread that reloads: hears of a wish or sees the file change, and tells what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.app.reload.applying import RollBackFailedError, apply
from agent.app.reload.difference import Effect
from agent.app.reload.preparing import EnginePreparation, check_parts
from agent.app.reload.reading import NewSite, read_anew
from agent.app.reload.requests import ReloadRequests
from agent.app.reload.running_site import RunningSite
from agent.app.reload.site_file_watch import SiteFileWatch
from agent.clock import Clock
from agent.errors import SettingsError
from agent.pipeline.channel import Beat
from agent.pipeline.line_change import LineStoppingError, StageStaysError
from agent.service.notify import Notifier
from agent.settings.effective import digest
from agent.settings.secrets_in_use import secrets_of
from agent.telemetry.masking import Mask
from agent.telemetry.reload import ReloadHappenings, ReloadOutcome

LOOK_EVERY_S = 2.0


@dataclass(frozen=True)
class SiteFile:
    """Where settings come from.

    Attributes:
        path: the site file.
        environ: the environment, for ${NAME} in secrets.
        mask: is told every secret before anything is said.
    """

    path: Path
    environ: Mapping[str, str]
    mask: Mask


@dataclass(frozen=True)
class Told:
    """What became of a reload, in a word and in a sentence."""

    outcome: ReloadOutcome
    sentence: str


class Reloader:
    """`run` is a stage's work. A mistake, and whatever else goes wrong before a part is touched, changes nothing."""

    def __init__(
        self,
        file: SiteFile,
        running: RunningSite,
        requests: ReloadRequests,
        preparation: EnginePreparation,
        *,
        notifier: Notifier,
        clock: Clock,
        happened: ReloadHappenings,
        is_ready: Callable[[], bool],
    ) -> None:
        """Nothing is read yet; `is_ready` says when the start is over, before which nothing is reloaded."""
        self._file = file
        self._running = running
        self._requests = requests
        self._preparation = preparation
        self._notifier = notifier
        self._clock = clock
        self._happened = happened
        self._is_ready = is_ready
        self._watch = SiteFileWatch(file.path)

    def run(self, beat: Beat) -> None:
        """Reload whenever that is asked for, until `stop`.

        Raises:
            StageStaysError, RollBackFailedError: neither the old nor the new runs whole; only a new process helps.
        """
        self._watch.know()
        is_asked = False
        while not self._requests.is_stopping:
            beat()
            is_asked = self._requests.wait(LOOK_EVERY_S if self._is_ready() else 0.1) or is_asked
            if not self._is_ready():
                continue
            reason = "SIGHUP" if is_asked else "the site file has changed" if self._watch.has_changed() else ""
            is_asked = False
            if reason and not self._requests.is_stopping:
                self._reload(reason, beat)

    def stop(self) -> None:
        """End soon; any thread."""
        self._requests.stop()

    def _reload(self, reason: str, beat: Beat) -> None:
        self._happened.began(reason)
        self._notifier.reloading("reading the site file", self._clock.monotonic_s())
        self._watch.know()
        try:
            told = self._attempt(beat)
        except LineStoppingError:
            return
        self._happened.ended(told.outcome, told.sentence)
        self._running.board.reloaded(told.sentence, digest(self._running.site))
        self._notifier.ready(self._running.board.sentence())

    def _attempt(self, beat: Beat) -> Told:
        try:
            new = read_anew(self._file.path, self._file.environ, self._running.site, self._running.plan)
        except SettingsError as error:
            return Told(ReloadOutcome.REFUSED, f"refused: {error}")
        except Exception as error:  # noqa: BLE001 - a bug in reading must not cost the site that runs
            self._happened.bug(error)
            return Told(ReloadOutcome.REFUSED, f"refused: {type(error).__name__}: {error}")
        for secret in secrets_of(new.site):
            self._file.mask.add(secret.reveal())
        if not new.changes and not new.has_other_model:
            return Told(ReloadOutcome.UNCHANGED, "unchanged: the site file says what runs")
        told = new.changes.told() or "model.path: another file under the same name"
        self._happened.will_do(told)
        self._notifier.status(f"reload: {told}")
        return self._applied(new, beat)

    def _applied(self, new: NewSite, beat: Beat) -> Told:
        detection = None
        try:
            check_parts(new, self._clock, self._running.happened.stream)
            detection = self._preparation.detection_for(new, beat)
            apply(self._running, new, detection, beat)
        except (LineStoppingError, StageStaysError, RollBackFailedError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, what ran before runs again
            if detection is not None:
                detection.close()
            return Told(ReloadOutcome.ROLLED_BACK, f"rolled back: {error}")
        left = ", ".join(new.changes.refused_keys)
        if not left:
            return Told(ReloadOutcome.APPLIED, "applied")
        applied = "" if all(effect is Effect.SERVICE for _, effect in new.changes.keys) else "applied; "
        return Told(ReloadOutcome.NEEDS_RESTART, f"{applied}{left}: {Effect.SERVICE.value}, and unchanged until then")
