"""What goes wrong around a site, chosen by a seeded chance: one thing at a time, or two."""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from soak.scene import CAMERAS, Scene

MOST_AT_ONCE = 2
BUSY_BYTES = 4 * 1024**2
FPS_CHOICES = (1.0, 2.0, 3.0)

Action = Callable[[Scene, str], None]
Say = Callable[[str], None]


class Fault(NamedTuple):
    """One kind of misfortune.

    Attributes:
        target: what it happens to: camera, broker, agent, site file or disk; a target has one at a time.
        weight: how often, beside the others.
        begin, end: do it and undo it.
        ends_life: it begins the next life of the agent.
    """

    target: str
    weight: int
    begin: Action
    end: Action
    ends_life: bool = False


def _nothing(_scene: Scene, _name: str) -> None:
    pass


def _crowd_comes(scene: Scene, name: str) -> None:
    scene.cameras[name].stop()
    scene.crowded[name].start()


def _crowd_goes(scene: Scene, name: str) -> None:
    scene.crowded[name].stop()
    scene.cameras[name].start()


def _restart(scene: Scene, name: str) -> None:
    scene.cameras[name].stop()
    scene.cameras[name].start()


def _reload(scene: Scene, _name: str) -> None:
    """A changed site file, and the signal to read it; an agent that does not listen for it is left alone."""
    if not scene.agent.hears_hang_up():
        return
    camera = scene.site["cameras"][CAMERAS[0]]
    camera["detect_fps"] = FPS_CHOICES[(FPS_CHOICES.index(camera["detect_fps"]) + 1) % len(FPS_CHOICES)]
    scene.write_site()
    scene.agent.hang_up()


def _busy_disk(scene: Scene, _name: str) -> None:
    """The disk that the outbox lies on has other things to do."""
    path = scene.state / "busy"
    with path.open("wb") as file:
        for _ in range(4):
            file.write(os.urandom(BUSY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    path.unlink()


FAULTS: Mapping[str, Fault] = {
    "camera stopped": Fault("camera", 3, lambda s, c: s.cameras[c].stop(), lambda s, c: s.cameras[c].start()),
    "camera killed": Fault("camera", 3, lambda s, c: s.cameras[c].kill(), lambda s, c: s.cameras[c].start()),
    "camera frozen": Fault("camera", 4, lambda s, c: s.cameras[c].freeze(), lambda s, c: s.cameras[c].thaw()),
    "camera restarted": Fault("camera", 2, _restart, _nothing),
    "burst of events": Fault("camera", 3, _crowd_comes, _crowd_goes),
    "broker stopped": Fault("broker", 2, lambda s, _: s.broker.stop(), lambda s, _: s.broker.start()),
    "broker killed": Fault("broker", 2, lambda s, _: s.broker.kill(), lambda s, _: s.broker.start()),
    "broker frozen": Fault("broker", 3, lambda s, _: s.broker.freeze(), lambda s, _: s.broker.thaw()),
    "agent killed": Fault("agent", 2, lambda s, _: s.agent.kill(), _nothing, ends_life=True),
    "site reloaded": Fault("site file", 2, _reload, _nothing),
    "disk busy": Fault("disk", 1, _busy_disk, _nothing),
}


@dataclass(frozen=True)
class Pace:
    """How hard life is.

    Attributes:
        pause_s: between the beginnings of two faults, shortest and longest.
        last_s: how long a fault lasts.
        agent_life_s: the agent is not killed younger than this: growth needs time to be seen. Infinite: it never is.
    """

    pause_s: tuple[float, float]
    last_s: tuple[float, float]
    agent_life_s: float

    @classmethod
    def of(cls, duration_s: float, *, one_life: bool = False) -> Pace:
        """A short run has more faults a minute than a long one, which also has longer ones."""
        if duration_s <= 600.0:
            pace = cls((2.0, 6.0), (2.0, 9.0), max(40.0, duration_s / 2))
        else:
            pace = cls((5.0, 25.0), (2.0, 40.0), max(300.0, duration_s / 10))
        return replace(pace, agent_life_s=math.inf) if one_life else pace


class Misfortune:
    """Lets faults happen; used by one thread.

    Attributes:
        happened: how often, by name of the fault.
    """

    def __init__(self, scene: Scene, pace: Pace, chance: random.Random, say: Say) -> None:
        self.happened: Counter[str] = Counter()
        self._scene, self._pace, self._chance, self._say = scene, pace, chance, say
        # By target: when it ends, and what ends it.
        self._running: dict[str, tuple[float, str, Fault, str]] = {}
        self._next_s = 0.0

    def turn(self) -> None:
        """End what is over, and begin the next when it is time."""
        now_s = time.monotonic()
        for target in [target for target, (end_s, *_) in self._running.items() if end_s <= now_s]:
            self._end(target)
        if now_s >= self._next_s and len(self._running) < MOST_AT_ONCE:
            self._next_s = now_s + self._chance.uniform(*self._pace.pause_s)
            self._begin()

    def end_all(self) -> None:
        """Undo everything."""
        for target in list(self._running):
            self._end(target)

    def _begin(self) -> None:
        names = list(FAULTS)
        name = self._chance.choices(names, [FAULTS[each].weight for each in names])[0]
        camera, last_s = self._chance.choice(CAMERAS), self._chance.uniform(*self._pace.last_s)
        fault = FAULTS[name]
        target = camera if fault.target == "camera" else fault.target
        is_too_young = fault.ends_life and self._scene.agent.age_s < self._pace.agent_life_s
        if target in self._running or is_too_young:
            return
        self._say(f"{name}: {target}" + ("" if fault.end is _nothing else f" for {last_s:.0f} s"))
        fault.begin(self._scene, target)
        self.happened[name] += 1
        if fault.end is not _nothing:
            self._running[target] = (time.monotonic() + last_s, name, fault, target)

    def _end(self, target: str) -> None:
        _, _, fault, name = self._running.pop(target)
        fault.end(self._scene, name)
