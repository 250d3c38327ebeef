"""A soak from start to verdict."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from soak.faults import Misfortune, Pace
from soak.living_agent import LivingAgent
from soak.report import Outcome, add_sample, begin_samples
from soak.scene import CAMERAS, PASSWORD, Scene, open_scene

from agent.publish.outbox_file import last_sequence_of

TURN_S = 0.2
QUIET_S = 15.0
SETTLE_WITHIN_S = 60.0
FEWEST_EVENTS_A_MINUTE = 5

Say = Callable[[str], None]


def soak(
    folder: Path, assets: Path | None, duration_s: float, seed: int, say: Say, *, one_life: bool = False
) -> Outcome:
    """Run a site for so long, with faults but for the first readiness and a quiet end, and judge it.

    Args:
        folder: for everything that is written.
        assets: as for `open_scene`.
        duration_s: from the first readiness to the end of the quiet time.
        seed: of the chance that chooses faults.
        say: is told what happens, a line at a time.
        one_life: the agent is not killed: what grows over hours is seen best.
    """
    short = duration_s <= 600.0
    outcome = Outcome(seed, duration_s, warm_up_s=min(600.0, max(20.0, duration_s / 10)))
    with ExitStack() as stack:
        scene = open_scene(folder, assets, stack)
        outcome.model = scene.model
        scene.agent.start()
        stack.callback(scene.agent.stop)
        watch = _Watch(scene, outcome, folder / "samples.csv", every_s=1.0 if short else 5.0)
        watch.until(lambda: scene.agent.age_s > 0.0, SETTLE_WITHIN_S, "the agent is ready")
        misfortune = Misfortune(scene, Pace.of(duration_s, one_life=one_life), random.Random(seed), say)
        watch.live(duration_s - QUIET_S, misfortune.turn)
        say("quiet until the end")
        misfortune.end_all()
        watch.live(QUIET_S, lambda: None)
        watch.until(lambda: _is_calm(scene.agent), SETTLE_WITHIN_S, "every camera online and the outbox empty")
        scene.agent.stop()
        outcome.faults_done = dict(misfortune.happened)
        _judge(scene, outcome)
    return outcome


class _Watch:
    """Takes samples, and looks after the agent."""

    def __init__(self, scene: Scene, outcome: Outcome, file: Path, every_s: float) -> None:
        self._scene, self._outcome, self._file, self._every_s = scene, outcome, file, every_s
        begin_samples(file)
        self._began_s = self._next_s = time.monotonic()

    def live(self, seconds: float, also: Callable[[], None]) -> None:
        """Go on for so long, doing something else at each turn."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            also()
            self._turn()

    def until(self, is_so: Callable[[], bool], within_s: float, what: str) -> None:
        """Go on until something is so; that it never was is noted."""
        end_s = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > end_s:
                self._outcome.wrong.append(f"not within {within_s:g} s: {what}")
                return
            self._turn()

    def _turn(self) -> None:
        self._scene.agent.turn()
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + self._every_s
            if (sample := self._scene.agent.sample(now_s - self._began_s)) is not None:
                self._outcome.samples.append(sample)
                add_sample(self._file, sample)
        time.sleep(TURN_S)


def _is_calm(agent: LivingAgent) -> bool:
    page = agent.page("/api/v1/status")
    if page is None:
        return False
    status = json.loads(page)
    states = {name: camera["state"] for name, camera in status["cameras"].items()}
    return states == dict.fromkeys(CAMERAS, "online") and status["outbox"]["events"] == 0


def _judge(scene: Scene, outcome: Outcome) -> None:
    last = last_sequence_of(scene.state / "outbox.sqlite3")
    end_s = time.monotonic() + SETTLE_WITHIN_S
    while scene.ledger.missing(last or 0) and time.monotonic() < end_s:
        time.sleep(TURN_S)
    outcome.events, outcome.doubles, outcome.lives = scene.ledger.count, scene.ledger.doubles, scene.agent.lives
    outcome.wrong += scene.agent.faults
    outcome.wrong += ["the outbox lost its counter"] if last is None else scene.ledger.verdict(last)
    if outcome.events < FEWEST_EVENTS_A_MINUTE * outcome.duration_s / 60:
        outcome.wrong.append(f"only {outcome.events} events: nothing was proven")
    log = scene.agent.log
    outcome.wrong += ["the log holds a traceback"] if "Traceback" in log else []
    outcome.wrong += ["the log holds a password"] if PASSWORD in log else []
