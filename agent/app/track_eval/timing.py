"""The time of an update by number of objects, ours and the peers'."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.app.track_eval.contestants import Contestant
from agent.evaluation.following import Timer
from agent.evaluation.speed.contender import Contender, OurContender
from agent.evaluation.speed.peer import PeerContender, installed_peers
from agent.evaluation.speed.scenes import FRAME_RATE
from agent.evaluation.speed.turns import COUNTS, median_update_us


@dataclass(frozen=True)
class Time:
    """One tracker at one number of objects.

    Attributes:
        objects: in the scene.
        tracker: whose time.
        update_us: median processor microseconds of an update.
        of_peers: peer to this time as a part of that peer's.
    """

    objects: int
    tracker: str
    update_us: float
    of_peers: dict[str, float]


def take_times(
    chosen: Sequence[Contestant], peer_pythons: Sequence[Path], timer: Timer, counts: Sequence[int] = COUNTS
) -> list[Time]:
    """Let all of them take turns on the same scenes.

    Raises:
        EvaluatorError: an interpreter has no peer, or a peer failed.
    """
    with ExitStack() as running:
        peers = [
            running.enter_context(PeerContender(python, peer, version))
            for python in peer_pythons
            for peer, version in installed_peers(python).items()
        ]
        contenders: list[Contender] = [
            *(OurContender(each.name, each.settings_at(FRAME_RATE), timer) for each in chosen if each.settings_at),
            *peers,
        ]
        names = [peer.name for peer in peers]
        return [time for count in counts for time in _times(contenders, names, count)]


def _times(contenders: Sequence[Contender], peers: Sequence[str], count: int) -> list[Time]:
    names = [contender.name for contender in contenders]
    update_us = dict(zip(names, median_update_us(contenders, count), strict=True))
    return [
        Time(count, name, spent, {peer: spent / update_us[peer] for peer in peers}) for name, spent in update_us.items()
    ]
