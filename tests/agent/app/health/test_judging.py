"""Numbers in, troubles out: what counts as trouble, and that its limits do not flap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from agent.app.health.judging import troubles
from agent.app.health.readings import Readings
from agent.app.health.trouble import TroubleKey, TroubleKind
from agent.pipeline.slots import Tally

CALM = Readings(
    at_s=0.0, offline={}, tallies={"gate": Tally(0, 0, 0)}, idle_s=0.0, workers=2, takes_all=False, failed_inferences=0,
    fallback=None, is_connected=True, events_waiting=0, outbox_fill=0.0, is_disk_refusing=False,
)  # fmt: skip
Change = Callable[[Readings, int], Readings]


def looks(change: Change = lambda look, _second: look, seconds: int = 30) -> list[Readings]:
    """One look a second at a site that detects in ten frames a second, with half of its workers' time to spare."""
    return [
        change(replace(CALM, at_s=float(s), idle_s=1.0 * s, tallies={"gate": Tally(10 * s, 0, 0)}), s)
        for s in range(seconds + 1)
    ]


def kinds(seen: Sequence[Readings], active: Sequence[TroubleKey] = ()) -> list[TroubleKind]:
    return [trouble.kind for trouble in troubles(seen, active)]


def detecting(taken: float, replaced: float, stale: float = 0.0) -> Change:
    """So many frames a second are taken, replaced, too old."""
    return lambda look, s: replace(look, tallies={"gate": Tally(int(taken * s), int(replaced * s), int(stale * s))})


def test_a_calm_site_has_no_trouble() -> None:
    """Frames detected, workers partly idle, broker there."""
    assert kinds(looks()) == []


def test_nothing_is_said_of_rates_before_a_window_is_over() -> None:
    """At the start everything is slow."""
    assert kinds(looks(detecting(0, 10), seconds=9)) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda look, _s: replace(look, offline={"gate": "refused"}), TroubleKind.CAMERA_OFFLINE),
        (lambda look, _s: replace(look, fallback="the model runs on the processor"), TroubleKind.ENGINE_FALLBACK),
        (lambda look, _s: replace(look, is_connected=False), TroubleKind.BROKER_AWAY),
        (lambda look, _s: replace(look, is_disk_refusing=True), TroubleKind.DISK_REFUSING),
        (lambda look, _s: replace(look, outbox_fill=0.85), TroubleKind.OUTBOX_FULL),
        (lambda look, s: replace(look, failed_inferences=s), TroubleKind.INFERENCE_FAILED),
        (lambda look, _s: replace(look, idle_s=0.0), TroubleKind.WORKERS_SATURATED),
        (lambda look, s: replace(look, events_waiting=10 * s), TroubleKind.OUTBOX_GROWING),
        (detecting(7, 3), TroubleKind.CAMERA_BEHIND),
        (detecting(9, 1), TroubleKind.FRAMES_DROPPED),
        (detecting(9.5, 0, 0.5), TroubleKind.FRAMES_STALE),
    ],
)
def test_each_trouble_alone(change: Change, kind: TroubleKind) -> None:
    """One thing is wrong, and that one is told."""
    assert kinds(looks(change)) == [kind]


def test_every_kind_has_a_test() -> None:
    """The list above is complete."""
    marks = test_each_trouble_alone.pytestmark  # type: ignore[attr-defined]  # put there by the decorator

    assert {kind for _, kind in marks[0].args[1]} == set(TroubleKind)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (detecting(8.5, 1.5), (TroubleKind.CAMERA_BEHIND, "gate")),
        (detecting(9.7, 0.3), (TroubleKind.FRAMES_DROPPED, "gate")),
        (lambda look, _s: replace(look, outbox_fill=0.75), (TroubleKind.OUTBOX_FULL, None)),
        (lambda look, s: replace(look, idle_s=0.1 * s), (TroubleKind.WORKERS_SATURATED, None)),
        (lambda look, s: replace(look, events_waiting=s), (TroubleKind.OUTBOX_GROWING, None)),
    ],
)
def test_a_trouble_ends_at_a_milder_limit_than_it_begins(change: Change, key: TroubleKey) -> None:
    """Between the two limits it stays what it was."""
    assert key[0] not in kinds(looks(change))
    assert key[0] in kinds(looks(change), [key])


def test_one_burst_of_late_frames_is_no_overload() -> None:
    """A network that stood for a moment delivers frames too late once."""
    assert kinds(looks(lambda look, s: replace(look, tallies={"gate": Tally(10 * s, 0, 20 * (s > 25))}))) == []


def test_a_broker_that_comes_back_is_no_growth() -> None:
    """Events that wait because it was away are sent in time."""

    def back_a_moment_ago(look: Readings, s: int) -> Readings:
        return replace(look, is_connected=s > 28, events_waiting=100 * s)

    assert kinds(looks(back_a_moment_ago)) == []


def test_a_clip_played_fast_is_no_saturation() -> None:
    """Its workers are meant to be always busy."""
    assert kinds(looks(lambda look, _s: replace(look, idle_s=0.0, takes_all=True))) == []


def test_a_camera_that_starts_anew_counts_from_nothing() -> None:
    """After a reload its counts are smaller than before."""
    assert (
        kinds(looks(lambda look, s: replace(look, tallies={"gate": Tally(10 * s, 50 * (s < 25), 9 * (s < 25))}))) == []
    )


@pytest.mark.parametrize("comes", [True, False])
def test_a_camera_that_comes_or_goes_is_not_judged_by_half_a_window(*, comes: bool) -> None:
    """Cameras may come and go while the site runs; one that drops everything is told when it was there for a window."""
    all_dropped = detecting(0, 10)

    def change(look: Readings, s: int) -> Readings:
        return all_dropped(look, s) if (s > 25) is comes else replace(look, tallies={})

    assert kinds(looks(change)) == []
    assert kinds(looks(all_dropped)) == [TroubleKind.CAMERA_BEHIND]
