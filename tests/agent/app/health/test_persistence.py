"""Hysteresis in time: what must last, and how long it must stay away."""

from __future__ import annotations

from agent.app.health.persistence import OVER_AFTER_S, Persistence
from agent.app.health.trouble import Trouble, TroubleKind
from agent.publish.status import Health, HealthState

AWAY = Trouble(TroubleKind.CAMERA_OFFLINE, "gate", "gate is away (refused)")
BEHIND = Trouble(TroubleKind.CAMERA_BEHIND, "gate", "gate: detection keeps up with 40%")


def test_without_trouble_it_is_ok() -> None:
    """And has no reasons."""
    assert Persistence().health() == Health(HealthState.OK)


def test_a_camera_that_is_back_at_once_changes_nothing() -> None:
    """Four seconds away are not told, six are."""
    persistence = Persistence()
    for second in range(4):
        persistence.see([AWAY], second)
    persistence.see([], 4)
    assert persistence.health().state is HealthState.OK

    for second in range(10, 17):
        persistence.see([AWAY], second)
    assert persistence.health() == Health(HealthState.DEGRADED, (AWAY.sentence,))


def test_a_trouble_is_over_when_it_stays_away() -> None:
    """A rate around its limit does not make the state flap: it changes once each way."""
    persistence, states = Persistence(), []
    for second in range(60):
        persistence.see([BEHIND] if second < 30 and second % 3 == 0 else [], second)
        states.append(persistence.health().state)

    assert states.index(HealthState.OK) == 27 + OVER_AFTER_S
    assert set(states[: 27 + int(OVER_AFTER_S)]) == {HealthState.OVERLOADED}
    assert set(states[27 + int(OVER_AFTER_S) :]) == {HealthState.OK}


def test_the_worst_rules_and_comes_first() -> None:
    """An overloaded site with a camera away is overloaded, and tells both."""
    persistence = Persistence()
    for second in range(10):
        persistence.see([AWAY, BEHIND], second)

    assert persistence.health() == Health(HealthState.OVERLOADED, (BEHIND.sentence, AWAY.sentence))


def test_new_numbers_are_no_news() -> None:
    """The same trouble with another number is told as it began; otherwise every second would be news."""
    persistence = Persistence()
    persistence.see([BEHIND], 0)
    persistence.see([Trouble(BEHIND.kind, BEHIND.camera_id, "gate: detection keeps up with 41%")], 1)

    assert persistence.health().reasons == (BEHIND.sentence,)
